package import Storage

/// A kind of blob store that the laws are checked against.
package struct BlobStoreCandidate: Sendable, CustomStringConvertible {
    package let name: String
    private let open: @Sendable (_ use: @Sendable (any BlobStore) async throws -> Void) async throws -> Void

    /// - Parameter open: Makes a fresh, empty store, lends it to `use`, and removes whatever it left.
    package init(
        _ name: String,
        open: @escaping @Sendable (_ use: @Sendable (any BlobStore) async throws -> Void) async throws -> Void
    ) {
        self.name = name
        self.open = open
    }

    /// Lends a fresh store to `use`.
    package func withStore(_ use: @Sendable (any BlobStore) async throws -> Void) async throws {
        try await open(use)
    }

    package var description: String { name }
}
