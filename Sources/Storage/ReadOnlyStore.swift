package import Primitives

/// A store that may be read and listed but not changed, such as one that is being drained.
package struct ReadOnlyStore: BlobStore {
    private let base: any BlobStore

    package init(_ base: any BlobStore) {
        self.base = base
    }

    /// - Throws: `unavailable`, always; the body is not read.
    package func write(_ name: BlobName, _ body: consuming Body) async throws(StorageError) -> BlobReceipt {
        throw .unavailable("the store is read-only")
    }

    package func read(_ name: BlobName, range: Range<Int64>, into sink: inout any BodySink) async throws(StorageError) {
        try await base.read(name, range: range, into: &sink)
    }

    /// - Throws: `unavailable`, always.
    package func delete(_ name: BlobName) async throws(StorageError) {
        throw .unavailable("the store is read-only")
    }

    package func blobs(after: BlobName?, limit: Int) async throws(StorageError) -> [BlobSummary] {
        try await base.blobs(after: after, limit: limit)
    }
}
