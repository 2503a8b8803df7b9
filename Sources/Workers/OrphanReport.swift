/// What one pass over the stores found.
package struct OrphanReport: Sendable, Hashable {
    /// One store.
    package struct Store: Sendable, Hashable {
        /// Its position in the pool's list.
        package var number: Int
        /// Shards that it holds.
        package var shards = 0
        /// Shards of ended epochs whose blob is in no index.
        package var orphans = 0
        /// Shards of blobs that are in the index, which names another shard instead of them.
        package var surplus = 0
        /// Shards that the index does not name and that stay, since it may have lost what named them.
        package var kept = 0
        package var deleted = 0
        /// Bytes of the shards that were deleted.
        package var deletedBytes: Int64 = 0
        /// Those that were seen as orphans for the first time, or not long enough ago.
        package var quarantined = 0
        /// Orphans that could not be removed now.
        package var failed = 0
        /// Why nothing was deleted: too large a share of the store is orphans, or it could not be reached or listed.
        package var stopped: String?

        package init(number: Int) {
            self.number = number
        }
    }

    package var stores: [Store] = []

    package init() {}
}
