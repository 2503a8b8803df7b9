package import Primitives

/// Whose a store is, kept durably inside it.
///
/// A store that belongs to another deployment is refused by whoever opens it, and no orphan is collected where the
/// index's high-water mark is below the store's: the index went backwards then, as after a restored backup.
package struct StoreIdentity: Sendable, Hashable {
    /// 16 random bytes that every store of a deployment carries.
    package let deployment: [UInt8]
    /// 16 random bytes of this store alone.
    package let store: [UInt8]
    /// The version of the store's format; `currentFormatVersion` for a new one.
    package var formatVersion: UInt32
    /// The highest commit of the index that was known when the identity was last written.
    package var highWaterMark: UInt64

    /// The version of the format that this code writes, and the highest that it reads.
    package static let currentFormatVersion: UInt32 = 1

    /// - Returns: Nil unless both ids have 16 bytes.
    package init?(
        deployment: [UInt8], store: [UInt8], formatVersion: UInt32 = currentFormatVersion, highWaterMark: UInt64 = 0
    ) {
        guard deployment.count == 16, store.count == 16 else { return nil }
        self.deployment = deployment
        self.store = store
        self.formatVersion = formatVersion
        self.highWaterMark = highWaterMark
    }

    /// A new store of a deployment.
    ///
    /// - Returns: Nil unless the deployment's id has 16 bytes.
    package init?(newStoreOf deployment: [UInt8], environment: any Environment) {
        self.init(deployment: deployment, store: environment.randomBytes(16))
    }
}
