import Erasure
package import Storage

/// What a scrub found of one shard.
package struct ShardStatus: Sendable {
    package enum State: Hashable, Sendable {
        /// Every byte of it is right.
        case sound
        /// The store has no such shard, or no store was to hold it.
        case missing
        case corrupt(String)
        case unavailable(String)
        /// Every byte of it is right, but its store holds another shard of the blob while another store holds none.
        case crowded
        /// Every byte of it is right, but its store is to be emptied.
        case leaving
        /// Every byte of it is right, but the current list places it on another store.
        case elsewhere

        /// Whether it is only to move.
        var isToMove: Bool { self == .crowded || self == .leaving || self == .elsewhere }
    }

    package var index: UInt8
    /// The store that holds it or should, by its position in the pool's list.
    package var store: UInt16?
    package var attempt: UInt8
    package var state: State
    /// Stripes whose cell fails its check; the first hundred.
    package var corruptStripes: [Int64] = []
    /// The root over the cells as they are now; nil where they could not all be read.
    package var root: UInt64?
    /// The footer, where it is sound.
    var footer: ShardFooter?

    init(_ home: ShardHome, _ state: State) {
        index = UInt8(truncatingIfNeeded: home.index)
        store = home.store.map { UInt16(truncatingIfNeeded: $0) }
        attempt = home.attempt
        self.state = state
    }
}

/// What a repair did.
package struct RepairReport: Sendable {
    /// One shard that was rebuilt.
    package struct Repair: Sendable {
        package var index: UInt8
        /// What was wrong with it.
        package var before: ShardStatus.State
        /// The roots of the shard's cells before (nil where they could not be read) and after: the audit records both.
        package var rootBefore: UInt64?
        package var rootAfter: UInt64
        /// Where it lies now.
        package var store: UInt16
        package var attempt: UInt8
    }

    /// The locator with the new exceptions, for the index.
    package var locator: BlobLocator
    package var repairs: [Repair]
    /// The shards that are still not sound, and why.
    package var unrepaired: [ShardStatus]
    /// Shards that the new locator does not name any more, to be removed by `discard` once the index has it.
    package var superseded: [(store: Int, name: ShardException)]

    init(_ locator: BlobLocator) {
        (self.locator, repairs, unrepaired, superseded) = (locator, [], [], [])
    }

    /// Bytes of the blob in each of its shards, without what stands around them.
    package var shardBytes: Int64 {
        let dataShards = Int64(locator.geometry.dataShards)
        return (locator.length + dataShards - 1) / dataShards
    }

    /// Bytes of the blob that were written to shards.
    package var bytesWritten: Int64 { Int64(repairs.count) * shardBytes }

    /// Whether all shards of the blob are sound now.
    package var isWhole: Bool { unrepaired.isEmpty }
}
