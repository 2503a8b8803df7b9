import DirectoryStore
import Erasure
import Foundation
import NIOCore
import Pools
import Primitives
import Storage
import Synchronization
import Testing
import TidegateTesting

@Suite("Bytes that can be had without waiting")
struct ReadAtOnceTests {
    @Test("are those of small blobs, any range of them, and of nothing else")
    func ofADirectory() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await SegmentHarness.open(path, creating: true)
            let (small, large) = (SegmentHarness.name(1), SegmentHarness.name(2))
            let bytes = SegmentHarness.bytes(1, count: 5000)
            _ = try await store.write(small, Body(bytes))
            _ = try await store.write(large, Body(SegmentHarness.bytes(2, count: 100_000)))
            // The first read opens the segment.
            _ = try await store.bytes(of: small, range: 0..<1)
            for range in [0..<5000, 17..<18, 4999..<5000] {
                let read = try store.readAtOnce(small, range: Int64(range.lowerBound)..<Int64(range.upperBound))
                #expect(read.map { Array($0.readableBytesView) } == Array(bytes[range]))
            }
            #expect(try store.readAtOnce(small, range: 4999..<5001) == nil)
            #expect(try store.readAtOnce(small, range: -1..<2) == nil)
            #expect(try store.readAtOnce(large, range: 0..<100) == nil)
            #expect(try store.readAtOnce(SegmentHarness.name(3), range: 0..<1) == nil)
            // What somebody else deleted is not read on.
            for segment in try SegmentHarness.segments(path) { try FileManager.default.removeItem(atPath: segment) }
            #expect(try store.readAtOnce(small, range: 0..<100) == nil)
            await store.close()
            #expect(throws: StorageError.self) { _ = try store.readAtOnce(small, range: 0..<1) }
        }
    }

    @Test("make a read of a pool that asks no store to wait, of each range")
    func ofAPool() async throws {
        try await Self.withPool { pool, stores, _, _ in
            var generator = SeededGenerator(seed: 8)
            let bytes = generator.bytes(10_000)
            let locator = try await pool.store(generator.blobName(), Body(bytes)) { [] }
            _ = try await Self.fetch(pool, locator, 0..<10_000)
            let before = stores.map(\.reads)
            for range in [0..<1, 1000..<1030, 1023..<5000, 9999..<10_000, 0..<10_000] {
                #expect(try await Self.fetch(pool, locator, range) == Array(bytes[range]))
            }
            #expect(stores.map(\.reads) == before)
        }
    }

    @Test("are left where a cell is damaged, which is decoded around and told of")
    func damage() async throws {
        try await Self.withPool { pool, stores, paths, log in
            var generator = SeededGenerator(seed: 9)
            let bytes = generator.bytes(3000)
            let locator = try await pool.store(generator.blobName(), Body(bytes)) { [] }
            _ = try await Self.fetch(pool, locator, 0..<3000)
            #expect(log.all.isEmpty)
            let before = stores.reduce(0) { $0 + $1.reads }
            // One of the stores holds the copy that is read first. A bit of each is flipped in turn, and flipped back.
            for path in paths {
                let segment = try #require(try SegmentHarness.segments(path).first)
                let place = SegmentHarness.firstPayload + ShardHeader.size + 1500
                try SegmentHarness.damage(segment, at: place)
                #expect(try await Self.fetch(pool, locator, 0..<3000) == bytes)
                // The cell before the damaged one can be had at once all the same.
                let reads = stores.reduce(0) { $0 + $1.reads }
                #expect(try await Self.fetch(pool, locator, 10..<900) == Array(bytes[10..<900]))
                #expect(stores.reduce(0) { $0 + $1.reads } == reads)
                try SegmentHarness.damage(segment, at: place)
            }
            #expect(stores.reduce(0) { $0 + $1.reads } > before)
            #expect(log.all.map(\.kind) == [.corrupt])
        }
    }

    private static func fetch(
        _ pool: ErasurePool, _ locator: BlobLocator, _ range: Range<Int>
    ) async throws -> [UInt8] {
        var sink: any BodySink = BufferingSink()
        try await pool.fetch(locator, range: Int64(range.lowerBound)..<Int64(range.upperBound), into: &sink)
        return (sink as? BufferingSink).map { Array($0.bytes.readableBytesView) } ?? []
    }

    /// A pool of three copies in three directories, in cells of 1 KiB.
    private static func withPool(
        _ body: @escaping @Sendable (ErasurePool, [CountingStore], [String], DamageLog) async throws -> Void
    ) async throws {
        try await TemporaryDirectory.with { path in
            let paths = (0..<3).map { "\(path)/\($0)" }
            var stores: [CountingStore] = []
            for path in paths { stores.append(CountingStore(try await SegmentHarness.open(path, creating: true))) }
            let log = DamageLog()
            let configuration = PoolConfiguration(
                deployment: try DeploymentID([UInt8](repeating: 7, count: 16)),
                geometry: try Geometry(dataShards: 1, parityShards: 2, cellSize: 1024))
            let pool = try ErasurePool(
                stores: stores, configuration: configuration, environment: SystemEnvironment(),
                reporter: { log.add($0, $1) })
            try await body(pool, stores, paths, log)
            for store in stores { await store.base.close() }
        }
    }
}

/// Counts the reads that may wait.
private final class CountingStore: BlobStore {
    let base: DirectoryStore
    private let count = Mutex(0)

    init(_ base: DirectoryStore) {
        self.base = base
    }

    var reads: Int { count.withLock { $0 } }

    func write(_ name: BlobName, _ body: consuming Body) async throws(StorageError) -> BlobReceipt {
        try await base.write(name, body)
    }

    func read(_ name: BlobName, range: Range<Int64>, into sink: inout any BodySink) async throws(StorageError) {
        count.withLock { $0 += 1 }
        try await base.read(name, range: range, into: &sink)
    }

    func readAtOnce(_ name: BlobName, range: Range<Int64>) throws(StorageError) -> ByteBuffer? {
        try base.readAtOnce(name, range: range)
    }

    func delete(_ name: BlobName) async throws(StorageError) {
        try await base.delete(name)
    }

    func blobs(after: BlobName?, limit: Int) async throws(StorageError) -> [BlobSummary] {
        try await base.blobs(after: after, limit: limit)
    }
}
