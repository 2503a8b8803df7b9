package import Primitives

extension ErasurePool {
    /// Whether a locator says that a shard, as a store lists it, is part of its blob.
    ///
    /// What it does not name is left over from a repair or from a write that was given up.
    ///
    /// - Parameter store: The store's position in the pool's list.
    package func isNamed(_ shard: BlobName, on store: Int, by locator: BlobLocator) -> Bool {
        homes(locator).contains { $0.store == store && $0.name(of: locator.name) == shard }
    }
}
