import DirectoryStore
import Erasure
import Pools
import Primitives
import Storage
import Synchronization
import Testing
import TidegateTesting

@Suite("Stores that are full")
struct FullStoreTests {
    private static func space(_ percent: Int64) -> StoreSpace { StoreSpace(used: percent * 10, capacity: 1000) }

    private static func filling(_ full: some Sequence<Int>) -> StoreFilling {
        let filling = StoreFilling(nearlyFullFrom: 85, fullFrom: 95)
        for store in full { _ = filling.note(store, space(96)) }
        return filling
    }

    private static func harness(
        _ domains: [UInt16], _ filling: StoreFilling, geometry: Geometry? = nil
    ) throws -> PoolHarness {
        try PoolHarness(
            stores: domains.count, geometry: geometry,
            configure: { configuration in
                configuration.placements = [
                    Placement(epoch: 1, stores: domains.indices.map { UInt16($0) }, domains: domains)
                ]
                configuration.isFull = { filling.isFull($0) }
            })
    }

    @Test("pass marks once, and pass them back only well below")
    func marks() {
        let filling = StoreFilling(nearlyFullFrom: 85, fullFrom: 95)
        let steps: [(Int64, FillLevel?)] = [
            (84, nil), (85, .nearlyFull), (84, nil), (86, nil), (94, nil), (95, .full), (94, nil), (96, nil),
            (120, nil), (93, .nearlyFull), (94, nil), (95, .full), (84, .nearlyFull), (83, .normal), (84, nil),
            (95, .full), (0, .normal),
        ]
        for (number, (percent, level)) in steps.enumerated() {
            #expect(filling.note(3, Self.space(percent)) == level, "step \(number)")
            #expect(filling.space(of: 3) == Self.space(percent))
            #expect(filling.isFull(3) == (filling.level(of: 3) == .full) && !filling.isFull(2))
        }
        #expect(filling.note(3, Self.space(99)) == .full && filling.count(from: .nearlyFull) == 1)
        #expect(filling.note(4, Self.space(90)) == .nearlyFull)
        #expect(filling.count(from: .nearlyFull) == 2 && filling.count(from: .full) == 1)
        // What nobody knows the capacity of is never full.
        #expect(filling.note(3, StoreSpace(used: .max, capacity: nil)) == .normal && !filling.isFull(3))
        #expect(filling.note(4, nil) == .normal && filling.space(of: 4) == nil)
        #expect(StoreSpace(used: 7, capacity: 5).available == 0 && StoreSpace(used: 7, capacity: 5).percent == 140)
    }

    @Test("are given nothing while the others can take all shards, and are read and emptied as before")
    func othersHaveRoom() async throws {
        var generator = SeededGenerator(seed: 91)
        let filling = Self.filling([])
        let harness = try Self.harness(Array(0..<8), filling)
        let bytes = generator.bytes(5000)
        var before: [BlobLocator] = []
        for _ in 0..<20 { before.append(try await harness.store(bytes, &generator)) }
        let held = try await harness.shards().count { $0.store == 2 || $0.store == 5 }
        #expect(held > 0)
        for store in [2, 5] { #expect(filling.note(store, Self.space(95)) == .full) }
        var after: [BlobLocator] = []
        for _ in 0..<20 { after.append(try await harness.store(bytes, &generator)) }
        #expect(try await harness.shards().count { $0.store == 2 || $0.store == 5 } == held)
        #expect(try await harness.shards().count == 40 * 6)
        for locator in before + after {
            #expect(try await harness.fetch(locator) == bytes)
            #expect(harness.pool.crowded(locator).isEmpty)
            // A rebalance does not undo it as long as they are full.
            #expect(!harness.pool.isToMove(locator, .toCurrentPlacement))
        }
        #expect(after.contains { !$0.exceptions.isEmpty })
        for locator in before { try await harness.pool.remove(locator) }
        #expect(try await harness.shards().count { $0.store == 2 || $0.store == 5 } == 0)
        _ = filling.note(2, Self.space(10))
        _ = filling.note(5, Self.space(10))
        #expect(after.allSatisfy { harness.pool.isToMove($0, .toCurrentPlacement) != $0.exceptions.isEmpty })
        for _ in 0..<20 { _ = try await harness.store(bytes, &generator) }
        #expect(try await harness.shards().count { $0.store == 2 || $0.store == 5 } > 0)
    }

    @Test("go on where the blob would lie in fewer domains without them, and where all are full")
    func noneHasRoom() async throws {
        var generator = SeededGenerator(seed: 92)
        for full in [[0], [3, 4], Array(0..<6)] {
            let harness = try Self.harness(Array(0..<6), Self.filling(full))
            for _ in 0..<10 {
                let locator = try await harness.store(generator.bytes(5000), &generator)
                #expect(locator.exceptions.isEmpty)
            }
            #expect(try await harness.shards().count { $0.store == full[0] } == 10)
        }
        // Of seven two are full: each blob takes one of the two.
        let harness = try Self.harness(Array(0..<7), Self.filling([1, 6]))
        for _ in 0..<20 { _ = try await harness.store(generator.bytes(5000), &generator) }
        let onFull = try await harness.shards().filter { $0.store == 1 || $0.store == 6 }
        #expect(onFull.count == 20 && Set(onFull.map(\.store)) == [1, 6])
        #expect(Set(onFull.map(\.summary.name.whole)).count == 20)
    }

    @Test("never make a blob lie in fewer domains, and are taken only where a domain has no other store")
    func whateverIsFull() async throws {
        var generator = SeededGenerator(seed: 93)
        let geometry = try Geometry(dataShards: 3, parityShards: 2, cellSize: 1024)
        for round in 0..<150 {
            let count = Int.random(in: 3...9, using: &generator)
            let stores = Int.random(in: count...12, using: &generator)
            let domains = (0..<stores).map { UInt16($0 < count ? $0 : Int.random(in: 0..<count, using: &generator)) }
            let full = Set(domains.indices.filter { _ in Int.random(in: 0..<3, using: &generator) == 0 })
            let harness = try Self.harness(domains, Self.filling(full), geometry: geometry)
            _ = try await harness.pool.store(generator.blobName(), Body([1, 2, 3])) { [] }
            let shards = try await harness.shards()
            let held = Dictionary(shards.map { (domains[$0.store], 1) }, uniquingKeysWith: +)
            #expect(shards.count == 5 && held.count == min(5, count), "round \(round): \(held)")
            #expect(held.values.allSatisfy { $0 <= 2 }, "round \(round): \(held)")
            let roomy = Set(domains.indices.filter { !full.contains($0) }.map { domains[$0] })
            let taken = Set(shards.map(\.store)).intersection(full)
            #expect(taken.allSatisfy { !roomy.contains(domains[$0]) }, "round \(round): \(taken)")
            #expect(Set(taken.map { domains[$0] }).count == max(0, min(5, count) - roomy.count), "round \(round)")
        }
    }

    @Test("get no shard back that can be restored elsewhere as well")
    func repairs() async throws {
        var generator = SeededGenerator(seed: 94)
        let filling = Self.filling([])
        let harness = try Self.harness(Array(0..<8), filling)
        let bytes = generator.bytes(5000)
        for round in 0..<10 {
            let locator = try await harness.store(bytes, &generator)
            let lost = try #require(try await harness.shards().first { $0.summary.name.whole == locator.name })
            try await harness.memory[lost.store].delete(lost.summary.name)
            // With every other store full as well, it goes home.
            let isAlone = round % 2 == 0
            let full = isAlone ? [lost.store] : Array(0..<8)
            for store in full { _ = filling.note(store, Self.space(97)) }
            let report = try await harness.pool.repair(locator)
            #expect(report.isWhole && report.repairs.count == 1)
            #expect(report.repairs.allSatisfy { (Int($0.store) == lost.store) == !isAlone })
            #expect(try await harness.fetch(report.locator) == bytes)
            for store in full { _ = filling.note(store, Self.space(1)) }
            try await harness.pool.remove(report.locator)
        }
    }

    @Test("are known by what their file system says", .enabled { try await SmallDisk.isPossible() })
    func directories() async throws {
        try await SmallDisk.with(megabytes: 64) { path in
            let store = try await DirectoryStore.open(path, creating: true, environment: SystemEnvironment())
            let before = try await store.space()
            #expect(before.used + before.available == 64 << 20)
            let bytes = [UInt8](repeating: 7, count: 8 << 20)
            _ = try await store.write(BlobName(epoch: 1, counter: 1, random: 1), Body(bytes))
            let after = try await store.space()
            #expect(after.used >= before.used + 8 << 20 && after.used + after.available == 64 << 20)
            await store.close()
            await #expect(throws: StorageError.self) { _ = try await store.space() }
        }
    }
}
