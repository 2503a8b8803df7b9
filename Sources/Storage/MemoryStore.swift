package import NIOCore
package import Primitives
import Synchronization

/// A blob store in this process's memory: the simulated conformer, and the reference that the others are compared with.
///
/// It is bounded by `capacity` bytes of blobs; a write beyond it throws `full`.
package final class MemoryStore: BlobStore {
    /// The most bytes that one call of a sink is given.
    private static let pieceBytes = 1 << 18

    private let contents: Mutex<Contents>

    /// - Parameter capacity: The most bytes that all blobs together may hold.
    package init(capacity: Int64 = .max) {
        contents = Mutex(Contents(capacity: capacity))
    }

    package func write(_ name: BlobName, _ body: consuming Body) async throws(StorageError) -> BlobReceipt {
        var bytes = ByteBuffer()
        let room = contents.withLock { $0.room }
        while var buffer = try await body.nextOfSource() {
            guard Int64(bytes.readableBytes) + Int64(buffer.readableBytes) <= room else { throw .full }
            bytes.writeBuffer(&buffer)
        }
        try contents.withLock { (contents) throws(StorageError) in try contents.insert(bytes, as: name) }
        return BlobReceipt(length: Int64(bytes.readableBytes))
    }

    package func read(_ name: BlobName, range: Range<Int64>, into sink: inout any BodySink) async throws(StorageError) {
        guard let blob = contents.withLock({ $0.blobs[name] }) else { throw .notFound }
        guard range.lowerBound >= 0, range.upperBound <= Int64(blob.readableBytes) else { throw .invalidRange }
        var offset = Int(range.lowerBound)
        while offset < Int(range.upperBound) {
            let count = min(Self.pieceBytes, Int(range.upperBound) - offset)
            guard let piece = blob.getSlice(at: blob.readerIndex + offset, length: count) else { throw .invalidRange }
            do throws(BodyError) {
                try await sink.write(piece)
            } catch {
                throw .sink(error)
            }
            offset += count
        }
    }

    package func delete(_ name: BlobName) async throws(StorageError) {
        contents.withLock { $0.remove(name) }
    }

    package func blobs(after: BlobName?, limit: Int) async throws(StorageError) -> [BlobSummary] {
        contents.withLock { $0.summaries(after: after, limit: limit) }
    }

    /// The bytes of all blobs held.
    package var usedBytes: Int64 {
        contents.withLock { $0.usedBytes }
    }

    /// Changes the stored bytes of a blob behind the store's back, as a failing disk would. Does nothing where there is
    /// no such blob.
    package func damage(_ name: BlobName, _ change: (inout ByteBuffer) -> Void) {
        contents.withLock { contents in
            guard var blob = contents.blobs[name] else { return }
            contents.usedBytes -= Int64(blob.readableBytes)
            change(&blob)
            contents.usedBytes += Int64(blob.readableBytes)
            contents.blobs[name] = blob
        }
    }

    /// What is held, and how much of it.
    private struct Contents {
        let capacity: Int64
        var usedBytes: Int64 = 0
        var blobs: [BlobName: ByteBuffer] = [:]

        init(capacity: Int64) {
            self.capacity = capacity
        }

        var room: Int64 { capacity - usedBytes }

        /// Keeps a blob. Other bytes under a name that is taken are a caller's mistake, and are refused rather than
        /// hidden.
        mutating func insert(_ bytes: ByteBuffer, as name: BlobName) throws(StorageError) {
            if let present = blobs[name] {
                guard present == bytes else { throw .corrupt("the blob \(name) is there with other bytes") }
                return
            }
            guard Int64(bytes.readableBytes) <= room else { throw .full }
            blobs[name] = bytes
            usedBytes += Int64(bytes.readableBytes)
        }

        mutating func remove(_ name: BlobName) {
            guard let blob = blobs.removeValue(forKey: name) else { return }
            usedBytes -= Int64(blob.readableBytes)
        }

        func summaries(after: BlobName?, limit: Int) -> [BlobSummary] {
            guard limit > 0 else { return [] }
            let names = blobs.keys.filter { name in after.map { $0 < name } ?? true }.sorted()
            return names.prefix(limit).map { name in
                BlobSummary(name: name, length: Int64(blobs[name]?.readableBytes ?? 0))
            }
        }
    }
}

extension Body {
    /// The next buffer, a failure being the source's.
    package mutating func nextOfSource() async throws(StorageError) -> ByteBuffer? {
        do throws(BodyError) {
            return try await next()
        } catch {
            throw .source(error)
        }
    }
}
