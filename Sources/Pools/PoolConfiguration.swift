package import Erasure
package import Storage

/// How a pool cuts, places and waits.
package struct PoolConfiguration: Sendable {
    /// Whose shards these are; shards of another deployment are not read.
    package var deployment: DeploymentID
    /// How blobs are cut, unless the caller of `store` says otherwise.
    package var geometry: Geometry
    /// Lists of stores that blobs were placed by, the current one last. Nil for one list of all stores, epoch 0.
    package var placements: [Placement]?
    /// Durable shards without which a write fails: k…k + m, by default k + 1, or k where there is no parity.
    package var writeQuorum: Int?
    /// Stores that must be up for a write to be tried, however the blob is cut: by default k, or all of them where
    /// there are fewer.
    package var leastStoresUp: Int?
    /// Whether a store is known to be away, so that it is not even asked; it must answer at once. The pool finds out
    /// about the others by itself.
    package var isAway: @Sendable (Int) -> Bool = { _ in false }
    /// Whether a store is so full that it is to be given new shards only where the others have no room for a whole
    /// blob; it must answer at once.
    package var isFull: @Sendable (Int) -> Bool = { _ in false }
    /// Told of each call of a store that failed, by the store's position. It must return at once.
    package var onFailure: @Sendable (Int, StorageError) -> Void = { _, _ in }
    /// A store that makes no progress for so long is given up, in a write or in a read.
    package var shardDeadline: Duration = .seconds(10)
    /// A read that waits so long for a shard reads others beside it; less long for stores that are seen to be faster.
    package var hedgeAfter: Duration = .milliseconds(250)
    /// How many readers may be begun so, in percent of those that are needed anyway.
    package var hedgeBudget = 5
    /// A write that one store alone has held up for so long, and for most of its time, goes on without it.
    package var stragglerAfter: Duration = .seconds(3)
    /// How long a store that failed is avoided at first; twice as long after each further failure, up to 32 times.
    package var suspicion: Duration = .seconds(1)
    /// Bytes of a blob that a read fetches ahead of its sink, rounded up to two stripes at least.
    package var readAhead = 1 << 20

    package init(deployment: DeploymentID, geometry: Geometry = .standard) {
        (self.deployment, self.geometry) = (deployment, geometry)
    }

    /// Durable shards that a write needs.
    func writeQuorum(for geometry: Geometry) -> Int {
        let usual = geometry.dataShards + min(1, geometry.parityShards)
        // What has more parity than is configured is the same kind of blob.
        guard let writeQuorum, geometry.dataShards == self.geometry.dataShards,
            geometry.cellSize == self.geometry.cellSize
        else { return usual }
        return max(geometry.dataShards, min(geometry.shards, writeQuorum))
    }

    /// Stores that must be up for a write, of so many in the list.
    func leastStoresUp(of stores: Int) -> Int {
        min(leastStoresUp ?? geometry.dataShards, stores)
    }
}
