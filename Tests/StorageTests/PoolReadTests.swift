import Erasure
import NIOCore
import Pools
import Primitives
import Storage
import Testing
import TidegateTesting

@Suite struct PoolReadTests {
    @Test func anyRangeIsTheSliceOfTheBytes() async throws {
        var generator = SeededGenerator(seed: 3)
        for (k, m, cell) in [(4, 2, 64), (1, 2, 256), (3, 0, 128)] {
            let geometry = try Geometry(dataShards: k, parityShards: m, cellSize: cell)
            let harness = try PoolHarness(geometry: geometry, configure: { $0.readAhead = 1 })
            for length in [1, 63, 64, 65, 500, 5000, 20_000] {
                let bytes = generator.bytes(length)
                let locator = try await harness.store(bytes, &generator)
                for round in 0..<40 {
                    // One store fails now and then, so that every kind of range is decoded too.
                    if m > 0, round % 4 == 3 { harness.faulty[round / 4 % 6].isAvailable = false }
                    let ends = [
                        Int.random(in: 0...length, using: &generator), .random(in: 0...length, using: &generator),
                    ]
                    let range = min(ends[0], ends[1])..<max(ends[0], ends[1])
                    #expect(try await harness.fetch(locator, range) == Array(bytes[range]), "\(range) of \(length)")
                    for store in harness.faulty { store.isAvailable = true }
                }
            }
        }
    }

    @Test func rangesOutsideAreRefused() async throws {
        var generator = SeededGenerator(seed: 4)
        let harness = try PoolHarness()
        let locator = try await harness.store(generator.bytes(100), &generator)
        for range in [-1..<0, 0..<101, 101..<101] {
            await #expect(throws: StorageError.self) { _ = try await harness.fetch(locator, range) }
        }
    }

    @Test func everyPatternOfUpToTwoLostStoresIsReadExactly() async throws {
        var generator = SeededGenerator(seed: 5)
        let harness = try PoolHarness()
        let bytes = generator.bytes(50_001)
        let locator = try await harness.store(bytes, &generator)
        for mask in 0..<64 {
            for store in 0..<6 { harness.faulty[store].isAvailable = mask >> store & 1 == 0 }
            if mask.nonzeroBitCount <= 2 {
                #expect(try await harness.fetch(locator) == bytes, "mask \(mask)")
            } else {
                do {
                    _ = try await harness.fetch(locator)
                    Issue.record("mask \(mask) was read")
                } catch {
                    guard case .quorum(_, needed: 4) = error else { throw error }
                }
            }
        }
    }

    @Test func everyPatternOfUpToTwoMissingShardsIsReadExactlyAndReported() async throws {
        var generator = SeededGenerator(seed: 6)
        for mask in 0..<64 where mask.nonzeroBitCount <= 3 {
            let harness = try PoolHarness()
            let bytes = generator.bytes(9001)
            let locator = try await harness.store(bytes, &generator)
            let lost = try await harness.shards().filter { mask >> Int($0.summary.name.shard?.index ?? 0) & 1 == 1 }
            for shard in lost { try await harness.memory[shard.store].delete(shard.summary.name) }
            guard mask.nonzeroBitCount <= 2 else {
                await #expect(throws: StorageError.self) { _ = try await harness.fetch(locator) }
                continue
            }
            #expect(try await harness.fetch(locator) == bytes, "mask \(mask)")
            let dataLost = (0..<4).filter { mask >> $0 & 1 == 1 }
            let reported = Set(harness.damage.all.filter { $0.kind == .missing }.map { Int($0.index) })
            #expect(reported.isSuperset(of: dataLost))
        }
    }

    @Test func aBlobOfWhichNothingIsLeftIsNotFound() async throws {
        var generator = SeededGenerator(seed: 7)
        let harness = try PoolHarness()
        let locator = try await harness.store(generator.bytes(100), &generator)
        try await harness.pool.remove(locator)
        #expect(try await harness.shards().isEmpty)
        do {
            _ = try await harness.fetch(locator)
            Issue.record("it was read")
        } catch {
            guard case .notFound = error else { throw error }
        }
    }

    /// Each stripe may lose other shards: more than two shards are damaged, but no stripe more than twice.
    @Test func damageIsDecodedAroundStripeByStripe() async throws {
        var generator = SeededGenerator(seed: 8)
        let harness = try PoolHarness()
        let bytes = generator.bytes(6 * 4096)
        let locator = try await harness.store(bytes, &generator)
        let shards = try await harness.shards()
        for stripe in 0..<6 {
            for offset in 0..<2 {
                let shard = shards[(stripe + offset) % 6]
                harness.flip(shard.summary.name, byte: 72 + stripe * 1032 + 500, in: shard.store)
            }
        }
        #expect(try await harness.fetch(locator) == bytes)
        #expect(harness.damage.all.contains { $0.kind == .corrupt })
        let shard = shards[5]
        harness.flip(shard.summary.name, byte: 72 + 500, in: shard.store)
        do {
            _ = try await harness.fetch(locator)
            Issue.record("a stripe with three corrupt cells was read")
        } catch {
            guard case .corrupt = error else { throw error }
        }
    }

    @Test func cellsInTheWrongPlaceAreFound() async throws {
        var generator = SeededGenerator(seed: 9)
        let harness = try PoolHarness()
        let bytes = generator.bytes(4 * 4096)
        let locator = try await harness.store(bytes, &generator)
        let other = try await harness.store(generator.bytes(4 * 4096), &generator)
        let shards = try await harness.shards().filter { $0.summary.name.whole == locator.name }
        // Two cells of a shard change places; another shard has a cell of another blob.
        harness.memory[shards[0].store].damage(shards[0].summary.name) { bytes in
            let (first, second) = (bytes.getBytes(at: 72, length: 1032), bytes.getBytes(at: 72 + 1032, length: 1032))
            bytes.setBytes(second ?? [], at: 72)
            bytes.setBytes(first ?? [], at: 72 + 1032)
        }
        let stray = try #require(
            try await harness.shards().first { $0.summary.name == other.name.shard(1) })
        let cells = try await harness.memory[stray.store].bytes(of: stray.summary.name, range: 72..<72 + 1032)
        harness.memory[shards[1].store].damage(shards[1].summary.name) { $0.setBytes(cells, at: 72) }
        #expect(try await harness.fetch(locator) == bytes)
        #expect(Set(harness.damage.all.filter { $0.kind == .corrupt }.map(\.index)) == [0, 1])
    }

    @Test func aStoreThatGivesTooLittleIsDecodedAround() async throws {
        var generator = SeededGenerator(seed: 10)
        let harness = try PoolHarness()
        let bytes = generator.bytes(100_000)
        let locator = try await harness.store(bytes, &generator)
        for store in 0..<2 { harness.faulty[store].follow(.every(.read, .truncate(1500))) }
        #expect(try await harness.fetch(locator) == bytes)
    }

    @Test func hangingStoresAreReadAroundAndThenGivenUp() async throws {
        var generator = SeededGenerator(seed: 11)
        var hanging: [HangingStore] = []
        let harness = try PoolHarness(
            wrap: { index, base in
                hanging.append(HangingStore(base))
                return hanging[index]
            },
            configure: {
                $0.hedgeAfter = .milliseconds(20)
                $0.shardDeadline = .milliseconds(1500)
            })
        let bytes = generator.bytes(100_000)
        let locator = try await harness.store(bytes, &generator)
        for store in 0..<2 { hanging[store].hang([.read]) }
        for _ in 0..<3 { #expect(try await harness.fetch(locator) == bytes) }
        hanging[2].hang([.read])
        do {
            _ = try await harness.fetch(locator)
            Issue.record("three of six shards were enough")
        } catch {
            guard case .quorum = error else { throw error }
        }
        for store in hanging { store.letGo() }
    }

    @Test func aFailingSinkIsNoFaultOfTheStores() async throws {
        var generator = SeededGenerator(seed: 12)
        let harness = try PoolHarness()
        let locator = try await harness.store(generator.bytes(100_000), &generator)
        for room in [0, 5000, 99_999] {
            var sink: any BodySink = FailingSink(after: room, BodyError(.disconnected, "gone"))
            do {
                try await harness.pool.fetch(locator, range: 0..<locator.length, into: &sink)
                Issue.record("the sink did not fail")
            } catch {
                guard case .sink(let cause) = error, cause.kind == .disconnected else { throw error }
            }
        }
        #expect(harness.damage.all.isEmpty)
    }

    @Test func aCancelledReadEnds() async throws {
        var generator = SeededGenerator(seed: 13)
        var hanging: [HangingStore] = []
        let harness = try PoolHarness(wrap: { index, base in
            hanging.append(HangingStore(base))
            return hanging[index]
        })
        let locator = try await harness.store(generator.bytes(100_000), &generator)
        for store in hanging { store.hang([.read]) }
        let reader = Task { [harness] in try await harness.fetch(locator) }
        reader.cancel()
        await #expect(throws: StorageError.self) { _ = try await reader.value }
        for store in hanging { store.letGo() }
    }

    @Test func theLocatorIsRebuiltFromAnyOneShard() async throws {
        var generator = SeededGenerator(seed: 14)
        let harness = try PoolHarness()
        for length in [0, 1, 10_000] {
            let locator = try await harness.store(generator.bytes(length), &generator)
            for shard in try await harness.shards() where shard.summary.name.whole == locator.name {
                let located = try await ErasurePool.readLocator(
                    from: harness.memory[shard.store], shard: shard.summary, deployment: harness.deployment)
                #expect(located.locator == locator)
                #expect(located.recovery == Array("recovery".utf8))
                let stranger = try DeploymentID([UInt8](repeating: 8, count: 16))
                await #expect(throws: StorageError.self) {
                    _ = try await ErasurePool.readLocator(
                        from: harness.memory[shard.store], shard: shard.summary, deployment: stranger)
                }
            }
        }
    }
}
