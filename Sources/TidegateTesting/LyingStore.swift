import NIOCore
package import Primitives
package import Storage
import Synchronization

/// A store that takes writes and, while it lies, keeps one bit otherwise.
package final class LyingStore: BlobStore {
    private let base: MemoryStore
    private let isLying = Mutex(false)

    package init(_ base: MemoryStore) {
        self.base = base
    }

    /// Whether it lies from now on.
    package func lie(_ lies: Bool) {
        isLying.withLock { $0 = lies }
    }

    package func write(_ name: BlobName, _ body: consuming Body) async throws(StorageError) -> BlobReceipt {
        let receipt = try await base.write(name, body)
        if isLying.withLock({ $0 }) {
            base.damage(name) { bytes in
                let index = bytes.readerIndex + bytes.readableBytes / 2
                if let old = bytes.getInteger(at: index, as: UInt8.self) { bytes.setInteger(old ^ 1, at: index) }
            }
        }
        return receipt
    }

    package func read(_ name: BlobName, range: Range<Int64>, into sink: inout any BodySink) async throws(StorageError) {
        try await base.read(name, range: range, into: &sink)
    }

    package func delete(_ name: BlobName) async throws(StorageError) {
        try await base.delete(name)
    }

    package func blobs(after: BlobName?, limit: Int) async throws(StorageError) -> [BlobSummary] {
        try await base.blobs(after: after, limit: limit)
    }
}
