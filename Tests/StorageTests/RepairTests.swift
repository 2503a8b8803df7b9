import Erasure
import NIOCore
import Pools
import Primitives
import Storage
import Testing
import TidegateTesting

@Suite struct RepairTests {
    /// One byte of each region of each shard: header, cells, checksums, footer, recovery record, trailer.
    @Test func aBitFlippedAnywhereIsFoundDecodedAroundAndRepaired() async throws {
        var generator = SeededGenerator(seed: 40)
        let harness = try PoolHarness()
        let bytes = generator.bytes(2 * 4096 + 100)
        var locator = try await harness.store(bytes, &generator)
        let cells = [72, 72 + 1023, 72 + 1024, 72 + 1032, 72 + 2064, 72 + 2064 + 64]
        let footer = 72 + 2 * 1032 + 72
        for index in 0..<6 {
            for byte in [0, 10, 40, 71] + cells + [footer, footer + 30, footer + 90, footer + 100, footer + 127] {
                let shard = try #require(
                    try await harness.shards().last { $0.summary.name.shard?.index == UInt8(index) })
                harness.flip(shard.summary.name, byte: byte, in: shard.store)
                #expect(try await harness.fetch(locator) == bytes, "shard \(index), byte \(byte)")
                let statuses = try await harness.pool.verify(locator)
                #expect(statuses.filter { $0.state != .sound }.map(\.index) == [UInt8(index)], "byte \(byte)")
                let report = try await harness.pool.repair(locator)
                #expect(report.isWhole)
                #expect(report.repairs.map(\.index) == [UInt8(index)])
                locator = report.locator
                try await harness.pool.discard(report)
                #expect(try await harness.pool.verify(locator).allSatisfy { $0.state == .sound })
                #expect(try await harness.shards().count == 6)
                #expect(try await harness.fetch(locator) == bytes)
            }
        }
        #expect(try await harness.pool.locate(locator.name).locator == locator)
        #expect(Set(harness.damage.all.map(\.kind)) == [.corrupt])
    }

    @Test func everyPatternOfTwoLostShardsIsRepairedInPlace() async throws {
        var generator = SeededGenerator(seed: 41)
        for length in [0, 100, 50_000] {
            for mask in 1..<64 where mask.nonzeroBitCount <= 2 {
                let harness = try PoolHarness()
                let bytes = generator.bytes(length)
                let locator = try await harness.store(bytes, &generator)
                let before = try await harness.shards()
                for shard in before where mask >> Int(shard.summary.name.shard?.index ?? 0) & 1 == 1 {
                    try await harness.memory[shard.store].delete(shard.summary.name)
                }
                let report = try await harness.pool.repair(locator)
                #expect(report.isWhole)
                #expect(report.repairs.count == mask.nonzeroBitCount)
                #expect(report.repairs.allSatisfy { $0.before == .missing && $0.rootBefore == nil })
                #expect(try await harness.pool.verify(report.locator).allSatisfy { $0.state == .sound })
                #expect(try await harness.fetch(report.locator) == bytes)
                let after = try await harness.shards()
                #expect(after.map(\.store) == before.map(\.store))
                #expect(try await harness.pool.locate(locator.name).recovery == Array("recovery".utf8))
                #expect(try await harness.pool.repair(report.locator).repairs.isEmpty)
            }
        }
    }

    @Test func shardsOfAStoreThatIsAwayAreRebuiltElsewhereAndMoveNoFurther() async throws {
        var generator = SeededGenerator(seed: 42)
        let harness = try PoolHarness(stores: 7)
        let bytes = generator.bytes(30_000)
        let locator = try await harness.store(bytes, &generator)
        let home = try #require(try await harness.shards().first).store
        harness.faulty[home].isAvailable = false
        let report = try await harness.pool.repair(locator)
        #expect(report.isWhole)
        #expect(report.repairs.count == 1)
        #expect(report.repairs.allSatisfy { Int($0.store) != home && $0.attempt == 1 })
        #expect(try await harness.fetch(report.locator) == bytes)
        await #expect(throws: StorageError.self) { try await harness.pool.discard(report) }
        harness.faulty[home].isAvailable = true
        try await harness.pool.discard(report)
        #expect(try await harness.shards().count == 6)
        try await harness.pool.remove(report.locator)
        #expect(try await harness.shards().isEmpty)
    }

    @Test("A shard whose store is full goes beside a sibling, moves home once there is room, and not before")
    func aFullStoreIsPassedOver() async throws {
        var generator = SeededGenerator(seed: 48)
        let harness = try PoolHarness()
        let bytes = generator.bytes(30_000)
        let locator = try await harness.store(bytes, &generator)
        let lost = try #require(try await harness.shards().first)
        let home = lost.store
        try await harness.memory[home].delete(lost.summary.name)
        harness.faulty[home].follow(.every(.write, .failBefore(.full)))
        let report = try await harness.pool.repair(locator)
        #expect(report.isWhole)
        #expect(report.repairs.map(\.before) == [.missing])
        #expect(report.repairs.allSatisfy { Int($0.store) != home })
        #expect(try await harness.fetch(report.locator) == bytes)
        let crowded = try await harness.pool.repair(report.locator)
        #expect(crowded.unrepaired.map(\.state) == [.crowded])
        #expect(crowded.repairs.isEmpty && crowded.locator == report.locator)
        #expect(try await harness.shards().count == 6)
        harness.faulty[home].follow(.none)
        let moved = try await harness.pool.repair(report.locator)
        #expect(moved.isWhole)
        #expect(moved.repairs.map(\.before) == [.crowded])
        #expect(moved.repairs.allSatisfy { Int($0.store) == home })
        #expect(try await harness.fetch(moved.locator) == bytes)
    }

    @Test("A shard whose store is away is not put where a damaged one of its blob is, which can be read still")
    func noStoreHoldsMoreThanMAfterARepair() async throws {
        var generator = SeededGenerator(seed: 47)
        for (damaged, away) in [(0, 1), (1, 0), (1, 2), (2, 0), (2, 1)] {
            let harness = try PoolHarness(
                stores: 3, geometry: Geometry(dataShards: 2, parityShards: 1, cellSize: 1024))
            let bytes = generator.bytes(1)
            let locator = try await harness.store(bytes, &generator)
            let shards = try await harness.shards()
            let stores = try (0..<3).map { index in
                try #require(shards.first { $0.summary.name.shard?.index == UInt8(index) })
            }
            // The last byte is of the footer: the cells can be read.
            harness.flip(
                stores[damaged].summary.name, byte: Int(stores[damaged].summary.length) - 1,
                in: stores[damaged].store)
            harness.faulty[stores[away].store].isAvailable = false
            let report = try await harness.pool.repair(locator)
            harness.faulty[stores[away].store].isAvailable = true
            #expect(report.repairs.map(\.index) == [UInt8(damaged)])
            // Whichever store is lost now, the others have enough.
            for lost in 0..<3 {
                harness.faulty[lost].isAvailable = false
                #expect(try await harness.fetch(report.locator) == bytes, "\(damaged), \(away), \(lost)")
                harness.faulty[lost].isAvailable = true
            }
        }
    }

    @Test func aShardThatReadsBackWrongIsNotCalledRepaired() async throws {
        var generator = SeededGenerator(seed: 43)
        let memory = (0..<6).map { _ in MemoryStore() }
        let lying = memory.map { LyingStore($0) }
        let harness = try PoolHarness(wrap: { index, _ in lying[index] })
        let bytes = generator.bytes(30_000)
        let locator = try await harness.store(bytes, &generator)
        let stores = try await harness.pool.verify(locator).map { Int($0.store ?? 0) }
        try await memory[stores[2]].delete(locator.name.shard(2))
        for store in lying { store.lie(true) }
        let report = try await harness.pool.repair(locator)
        #expect(!report.isWhole)
        #expect(report.repairs.isEmpty)
        #expect(report.unrepaired.map(\.index) == [2])
        #expect(report.locator == locator)
        #expect(try await memory[stores[2]].blobs(after: nil, limit: 10).isEmpty)
        for store in lying { store.lie(false) }
        #expect(try await harness.pool.repair(locator).isWhole)
    }

    @Test("A shard whose store gives back other bytes goes beside a sibling, and home once that is right again")
    func aStoreThatKeepsOtherBytesIsPassedOver() async throws {
        var generator = SeededGenerator(seed: 50)
        let memory = (0..<6).map { _ in MemoryStore() }
        let lying = memory.map { LyingStore($0) }
        let harness = try PoolHarness(wrap: { index, _ in lying[index] })
        let bytes = generator.bytes(30_000)
        let locator = try await harness.store(bytes, &generator)
        let home = Int(try #require(try await harness.pool.verify(locator)[2].store))
        try await memory[home].delete(locator.name.shard(2))
        lying[home].lie(true)
        let report = try await harness.pool.repair(locator)
        #expect(report.isWhole)
        #expect(report.repairs.map(\.index) == [2])
        #expect(report.repairs.allSatisfy { Int($0.store) != home })
        #expect(try await memory[home].blobs(after: nil, limit: 10).isEmpty)
        #expect(try await harness.fetch(report.locator) == bytes)
        let still = try await harness.pool.repair(report.locator)
        #expect(still.repairs.isEmpty && still.unrepaired.map(\.state) == [.crowded])
        #expect(try await memory[home].blobs(after: nil, limit: 10).isEmpty)
        lying[home].lie(false)
        let moved = try await harness.pool.repair(report.locator)
        #expect(moved.isWhole && moved.repairs.map { Int($0.store) } == [home])
        #expect(try await harness.fetch(moved.locator) == bytes)
    }

    @Test("What a repair that was cut short left behind, damaged since, is in no later repair's way")
    func aNameThatOtherBytesHaveIsPassedOver() async throws {
        var generator = SeededGenerator(seed: 47)
        let harness = try PoolHarness()
        let bytes = generator.bytes(30_000)
        let locator = try await harness.store(bytes, &generator)
        let shard = try #require(try await harness.shards().first)
        harness.flip(shard.summary.name, byte: 500, in: shard.store)
        // Its report is lost with the process that made it, and so is its commit.
        let cutShort = try #require(try await harness.pool.repair(locator).repairs.first)
        let leftover = locator.name.shard(cutShort.index, attempt: cutShort.attempt)
        harness.flip(leftover, byte: 600, in: Int(cutShort.store))
        let report = try await harness.pool.repair(locator)
        #expect(report.isWhole)
        #expect(report.repairs.map(\.attempt) == [cutShort.attempt + 1])
        #expect(try await harness.pool.verify(report.locator).allSatisfy { $0.state == .sound })
        #expect(try await harness.fetch(report.locator) == bytes)
    }

    @Test func rootsBeforeAndAfterAreReported() async throws {
        var generator = SeededGenerator(seed: 44)
        let harness = try PoolHarness()
        let locator = try await harness.store(generator.bytes(30_000), &generator)
        let sound = try await harness.pool.verify(locator)
        let shard = try #require(try await harness.shards().first)
        harness.flip(shard.summary.name, byte: 500, in: shard.store)
        let repair = try #require(try await harness.pool.repair(locator).repairs.first)
        #expect(repair.rootAfter == sound[0].root)
        #expect(repair.rootBefore != nil)
        #expect(repair.rootBefore != repair.rootAfter)
    }

    /// More than m shards are damaged, but each stripe can still be computed.
    @Test func scatteredDamageIsRepaired() async throws {
        var generator = SeededGenerator(seed: 45)
        let harness = try PoolHarness()
        let bytes = generator.bytes(6 * 4096)
        let locator = try await harness.store(bytes, &generator)
        for (stripe, shard) in try await harness.shards().enumerated() {
            harness.flip(shard.summary.name, byte: 72 + stripe * 1032 + 5, in: shard.store)
        }
        let report = try await harness.pool.repair(locator)
        #expect(report.isWhole)
        #expect(report.repairs.count == 6)
        #expect(try await harness.fetch(report.locator) == bytes)
        #expect(try await harness.pool.verify(report.locator).allSatisfy { $0.state == .sound })
    }

    @Test func whatCannotBeComputedIsSaidToBeLost() async throws {
        var generator = SeededGenerator(seed: 46)
        let harness = try PoolHarness()
        let locator = try await harness.store(generator.bytes(30_000), &generator)
        for shard in try await harness.shards().prefix(3) {
            try await harness.memory[shard.store].delete(shard.summary.name)
        }
        let report = try await harness.pool.repair(locator)
        #expect(!report.isWhole)
        #expect(report.repairs.isEmpty)
        #expect(report.unrepaired.count == 3)
        #expect(try await harness.shards().count == 3)
    }

    /// An index may name a store that the configuration does not have any more.
    @Test func whatLiesOnAStoreThatThePoolDoesNotHaveHarmsNothing() async throws {
        var generator = SeededGenerator(seed: 49)
        let harness = try PoolHarness()
        let bytes = generator.bytes(5000)
        var locator = try await harness.store(bytes, &generator)
        locator.exceptions = [ShardException(index: 2, store: 900, attempt: 1)]
        #expect(try await harness.fetch(locator) == bytes)
        #expect(try await harness.pool.verify(locator).count { $0.state != .sound } == 1)
        try await harness.pool.remove(locator)
        #expect(try await harness.shards().isEmpty)
    }
}
