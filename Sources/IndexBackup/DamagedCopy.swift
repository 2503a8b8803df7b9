package import Primitives

/// A copy that could not be read or failed its check.
package struct DamagedCopy: Sendable, Hashable {
    /// The position of the store in the list that was given.
    package let store: Int
    package let name: BlobName
}
