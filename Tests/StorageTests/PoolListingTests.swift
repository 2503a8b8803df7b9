import Pools
import Primitives
import Storage
import Synchronization
import Testing
import TidegateTesting

/// Blobs that are found by what stores list.
@Suite struct PoolListingTests {
    /// Counts the questions that are put to a store.
    private final class CountedStore: BlobStore {
        private let base: any BlobStore
        let listings = Mutex(0)
        let reads = Mutex(0)

        init(_ base: any BlobStore) { self.base = base }

        func write(_ name: BlobName, _ body: consuming Body) async throws(StorageError) -> BlobReceipt {
            try await base.write(name, body)
        }

        func read(
            _ name: BlobName, range: Range<Int64>, into sink: inout any BodySink
        ) async throws(StorageError) {
            reads.withLock { $0 += 1 }
            try await base.read(name, range: range, into: &sink)
        }

        func delete(_ name: BlobName) async throws(StorageError) { try await base.delete(name) }

        func blobs(after: BlobName?, limit: Int) async throws(StorageError) -> [BlobSummary] {
            listings.withLock { $0 += 1 }
            return try await base.blobs(after: after, limit: limit)
        }
    }

    @Test("What a page lists tells as much of a blob as a search for it, at every limit")
    func aListingLocates() async throws {
        var generator = SeededGenerator(seed: 71)
        let harness = try PoolHarness()
        var locators: [BlobLocator] = []
        for number in 0..<30 {
            // Some have shards beside siblings, so that a page may end between two of them.
            for store in 0..<6 { harness.faulty[store].isAvailable = number % 3 != 1 || store != number % 6 }
            locators.append(try await harness.store(generator.bytes(100 * (number % 7)), &generator))
        }
        for store in harness.faulty { store.isAvailable = true }
        locators.sort { $0.name < $1.name }
        for limit in [1, 2, 7, 30, 100] {
            var (found, last): ([ListedBlob], BlobName?) = ([], nil)
            while true {
                let page = try await harness.pool.listing(after: last, limit: limit)
                guard let end = page.last?.name else { break }
                found += page
                last = end
            }
            #expect(found.map(\.name) == locators.map(\.name))
            for (blob, locator) in zip(found, locators) {
                let located = try await harness.pool.locate(blob)
                #expect(located.locator == locator, "limit \(limit)")
                #expect(located.recovery == Array("recovery".utf8))
            }
        }
    }

    @Test func aStoreThatIsAwayIsNotTakenForOneThatHasNothing() async throws {
        var generator = SeededGenerator(seed: 72)
        let harness = try PoolHarness()
        let locator = try await harness.store(generator.bytes(5000), &generator)
        harness.faulty[2].isAvailable = false
        let away = try #require(try await harness.pool.listing(after: nil, limit: 10).first)
        #expect(try await harness.pool.locate(away).locator == locator)
        harness.faulty[2].isAvailable = true
        for shard in try await harness.shards() where shard.store == 2 {
            try await harness.memory[2].delete(shard.summary.name)
        }
        let gone = try #require(try await harness.pool.listing(after: nil, limit: 10).first)
        #expect(try await harness.pool.locate(gone).locator.exceptions.map(\.store) == [nil])
    }

    @Test("A blob of a page costs one question where its shards are small, and no listing")
    func questions() async throws {
        var generator = SeededGenerator(seed: 73)
        let counted = Mutex<[CountedStore]>([])
        let harness = try PoolHarness(wrap: { _, base in
            let store = CountedStore(base)
            counted.withLock { $0.append(store) }
            return store
        })
        for size in [100, 5000, 30_000] { _ = try await harness.store(generator.bytes(size), &generator) }
        let stores = counted.withLock { $0 }
        let page = try await harness.pool.listing(after: nil, limit: 10)
        #expect(stores.map { $0.listings.withLock { $0 } } == Array(repeating: 1, count: 6))
        let before = stores.reduce(0) { $0 + $1.reads.withLock { $0 } }
        for blob in page { _ = try await harness.pool.locate(blob) }
        #expect(stores.reduce(0) { $0 + $1.reads.withLock { $0 } } - before == 3)
        #expect(stores.map { $0.listings.withLock { $0 } } == Array(repeating: 1, count: 6))
    }
}
