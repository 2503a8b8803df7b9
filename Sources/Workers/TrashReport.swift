/// What one pass over the trash did.
package struct TrashReport: Sendable, Hashable {
    /// Blobs that have references after all.
    package var kept = 0
    /// Blobs that stay as they are, since the index may have lost what refers to them.
    package var untouched = 0
    package var condemned = 0
    /// Blobs whose shards were removed.
    package var deleted = 0
    /// These shards, and the bytes of these blobs, where their records said so.
    package var deletedShards = 0
    package var deletedBytes: Int64 = 0
    /// Condemned blobs that wait for the journal, for reads to end, or for a repair.
    package var waiting = 0
    /// Condemned blobs whose shards could not all be removed now.
    package var failed = 0
    package var tombstonesRemoved = 0
    /// Rows that changed under the pass; the next one looks again.
    package var conflicts = 0

    package init() {}

    /// Whether the pass changed something.
    package var didWork: Bool { kept + condemned + deleted + tombstonesRemoved > 0 }
}
