/// What a scrub found.
package struct ScrubReport: Sendable, Hashable {
    /// Blobs that were looked at.
    package var blobs = 0
    /// Bytes of these blobs.
    package var bytes: Int64 = 0
    /// Bytes of their shards, which were read.
    package var bytesRead: Int64 = 0
    /// Shards that are right, every byte of them.
    package var soundShards = 0
    /// Shards that are missing or corrupt.
    package var damagedShards = 0
    /// Shards that are right, but lie beside a sibling although another store could take them.
    package var crowdedShards = 0
    /// Shards whose store did not answer.
    package var unreachableShards = 0
    /// Blobs with shards that are not sound.
    package var damagedBlobs = 0
    /// Blobs whose record cannot be read, or says what cannot be.
    package var unreadableBlobs = 0
    /// Whether every blob of the index was looked at.
    package var isComplete = false

    package init() {}

    /// Whether every shard of every blob was read, and is right.
    package var isClean: Bool {
        isComplete && damagedShards + crowdedShards + unreachableShards == 0 && damagedBlobs + unreadableBlobs == 0
    }
}
