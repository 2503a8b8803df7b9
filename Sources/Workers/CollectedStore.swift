package import Storage

/// A store of the pool, as the collector of orphans sees it.
package struct CollectedStore: Sendable {
    /// Its position in the pool's list.
    package var number: Int
    package var store: any BlobStore
    /// Whose the store is, as it says now; nil where it says nothing.
    package var identity: @Sendable () async throws(StorageError) -> StoreIdentity?
    /// Makes the store keep another identity, which differs in the high-water mark alone.
    package var mark: @Sendable (StoreIdentity) async throws(StorageError) -> Void

    package init(
        number: Int, store: any BlobStore,
        identity: @escaping @Sendable () async throws(StorageError) -> StoreIdentity?,
        mark: @escaping @Sendable (StoreIdentity) async throws(StorageError) -> Void
    ) {
        (self.number, self.store, self.identity, self.mark) = (number, store, identity, mark)
    }
}
