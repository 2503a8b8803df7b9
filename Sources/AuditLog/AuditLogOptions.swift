/// How a file log is kept.
package struct AuditLogOptions: Sendable {
    /// The directory, made where it is absent; its parent must exist.
    package var directory: String
    /// The node's name: at most 64 letters, digits, `-`, `_` and `.`.
    package var node: String
    /// The writer epoch of this gateway.
    package var epoch: UInt32
    /// The region that the log's own records name.
    package var region: String
    /// Bytes after which a new segment is begun.
    package var segmentBytes: Int64
    /// Bytes of disk kept for the log's own last records once the disk is full.
    package var reserveBytes: Int64
    /// How long a record of `bounded` durability waits for its sync at most; below a second.
    package var syncIntervalMilliseconds: Int
    /// How long after a sync the mark is set at most (`SyncedMark`).
    package var markIntervalMilliseconds: Int
    /// Bytes of records that may wait to be written; appends beyond are refused.
    package var pendingBytes: Int

    package init(
        directory: String, node: String, epoch: UInt32, region: String, segmentBytes: Int64 = 64 << 20,
        reserveBytes: Int64 = 16 << 20, syncIntervalMilliseconds: Int = 500, markIntervalMilliseconds: Int = 1000,
        pendingBytes: Int = 32 << 20
    ) {
        (self.directory, self.node, self.epoch, self.region) = (directory, node, epoch, region)
        (self.segmentBytes, self.reserveBytes) = (segmentBytes, reserveBytes)
        (self.syncIntervalMilliseconds, self.pendingBytes) = (syncIntervalMilliseconds, pendingBytes)
        self.markIntervalMilliseconds = markIntervalMilliseconds
    }
}
