import Erasure
import Pools
import Primitives
import Storage
import Synchronization
import Testing
import TidegateTesting

@Suite("Stores that would fail together")
struct FailureDomainTests {
    /// Nine stores in six domains: 0 and 1, 2 and 3, 4 and 5, and three of their own.
    private static let domains: [UInt16] = [0, 0, 1, 1, 2, 2, 3, 4, 5]

    /// - Parameter away: those that are known to be away.
    private static func harness(
        _ domains: [UInt16] = domains, geometry: Geometry? = nil, away: StoresAway = StoresAway()
    ) throws -> PoolHarness {
        try PoolHarness(
            stores: domains.count, geometry: geometry,
            configure: { configuration in
                configuration.placements = [
                    Placement(epoch: 1, stores: domains.indices.map { UInt16($0) }, domains: domains)
                ]
                configuration.isAway = { away.contains($0) }
            })
    }

    /// How many shards lie in each domain.
    private static func held(_ harness: PoolHarness, _ domains: [UInt16]) async throws -> [UInt16: Int] {
        Dictionary(try await harness.shards().map { (domains[$0.store], 1) }, uniquingKeysWith: +)
    }

    @Test("hold one shard of a blob between them, as long as there are domains enough")
    func eachDomainTakesOne() async throws {
        var generator = SeededGenerator(seed: 60)
        var used: Set<Int> = []
        for _ in 0..<60 {
            let harness = try Self.harness()
            _ = try await harness.store(generator.bytes(5000), &generator)
            #expect(try await Self.held(harness, Self.domains) == [0: 1, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1])
            used.formUnion(try await harness.shards().map(\.store))
        }
        #expect(used == Set(0..<9))
    }

    @Test("take two each where domains are away, never more than m, and give them back")
    func domainsThatAreAwayAreMadeUpFor() async throws {
        var generator = SeededGenerator(seed: 61)
        for away in [[0, 1], [6], [2, 3, 7], [6, 7]] {
            let known = StoresAway()
            let harness = try Self.harness(away: known)
            // Of earlier processes nobody knows.
            #expect(harness.pool.takeCrowding() && !harness.pool.takeCrowding())
            for store in away { harness.faulty[store].isAvailable = false }
            known.set(away)
            let bytes = generator.bytes(5000)
            let locator = try await harness.store(bytes, &generator)
            let held = try await Self.held(harness, Self.domains)
            #expect(held.values.reduce(0, +) == 6)
            #expect(held.values.allSatisfy { $0 <= 2 }, "\(away): \(held)")
            #expect(held.count == 6 - Set(away.map { Self.domains[$0] }).count)
            #expect(harness.pool.mayBeCrowded && !harness.pool.takeCrowding())
            for store in away { harness.faulty[store].isAvailable = true }
            known.set([])
            #expect(harness.pool.takeCrowding() && !harness.pool.takeCrowding())
            #expect(harness.pool.crowded(locator).count == Set(away.map { Self.domains[$0] }).count)
            let report = try await harness.pool.repair(locator)
            try await harness.pool.discard(report)
            #expect(report.isWhole && report.repairs.allSatisfy { $0.before == .crowded })
            #expect(try await Self.held(harness, Self.domains).values.allSatisfy { $0 == 1 })
            #expect(harness.pool.crowded(report.locator).isEmpty && !harness.pool.mayBeCrowded)
            #expect(try await harness.fetch(report.locator) == bytes)
        }
    }

    @Test("hold m shards at most where there are few domains, however many stores one of them has")
    func fewDomains() async throws {
        var generator = SeededGenerator(seed: 66)
        for domains: [UInt16] in [
            [0, 0, 0, 0, 0, 0, 1, 2], [0, 0, 0, 0, 1, 2, 2], [0, 1, 2], [0, 0, 0, 0, 0, 1, 2, 3, 4],
        ] {
            let harness = try Self.harness(domains)
            let bytes = generator.bytes(5000)
            for _ in 0..<20 {
                let locator = try await harness.store(bytes, &generator)
                let held = try await Self.held(harness, domains)
                #expect(held.values.reduce(0, +) == 6 && held.values.allSatisfy { $0 <= 2 }, "\(domains): \(held)")
                #expect(locator.exceptions.isEmpty && harness.pool.crowded(locator).isEmpty)
                for domain in Set(domains) {
                    for store in domains.indices { harness.faulty[store].isAvailable = domains[store] != domain }
                    #expect(try await harness.fetch(locator) == bytes)
                }
                for store in harness.faulty { store.isAvailable = true }
                try await harness.pool.remove(locator)
            }
        }
    }

    @Test("may all be lost at once, any m of them")
    func anyMDomainsMayBeLost() async throws {
        var generator = SeededGenerator(seed: 62)
        let harness = try Self.harness()
        let bytes = generator.bytes(20_000)
        let locator = try await harness.store(bytes, &generator)
        for first in 0..<6 {
            for second in first..<6 {
                for store in Self.domains.indices {
                    harness.faulty[store].isAvailable = ![UInt16(first), UInt16(second)].contains(Self.domains[store])
                }
                #expect(try await harness.fetch(locator) == bytes, "\(first), \(second)")
            }
        }
    }

    @Test("are too few where one of them would hold more than m shards of a blob")
    func tooFewDomains() throws {
        #expect(throws: StorageError.self) { try Self.harness([0, 0, 0, 0, 1, 1, 1, 1]) }
        _ = try Self.harness([0, 0, 1, 1, 2, 2])
    }

    @Test("never take a second shard while a domain that is up has none, whatever is away")
    func whateverIsAway() async throws {
        var generator = SeededGenerator(seed: 63)
        for round in 0..<150 {
            let count = Int.random(in: 3...9, using: &generator)
            let stores = Int.random(in: count...12, using: &generator)
            let domains = (0..<stores).map { UInt16($0 < count ? $0 : Int.random(in: 0..<count, using: &generator)) }
            let known = StoresAway()
            let harness = try Self.harness(
                domains, geometry: Geometry(dataShards: 3, parityShards: 2, cellSize: 1024), away: known)
            let away = Set(domains.indices.filter { _ in Int.random(in: 0..<5, using: &generator) == 0 })
            for store in away { harness.faulty[store].isAvailable = false }
            // Some of them the pool has to find out about itself.
            known.set(away.dropFirst(2))
            let up = Set(domains.indices.filter { !away.contains($0) }.map { domains[$0] })
            do throws(StorageError) {
                _ = try await harness.pool.store(generator.blobName(), Body([1, 2, 3])) { [] }
            } catch {
                // With two domains up, four of the five shards have room, of which the loss of one takes two.
                #expect(up.count < 3, "round \(round): \(error)")
                continue
            }
            let held = try await Self.held(harness, domains)
            #expect(held.values.allSatisfy { $0 <= 2 }, "round \(round): \(held)")
            if held.values.contains(2) { #expect(Set(held.keys) == up, "round \(round): \(held)") }
        }
    }

    @Test("are known from the list that came last: what was placed before is spread by it")
    func domainsThatBecomeKnown() async throws {
        var generator = SeededGenerator(seed: 64)
        let harness = try PoolHarness(stores: 6)
        let bytes = generator.bytes(9000)
        let locator = try await harness.store(bytes, &generator)
        let old = Placement(epoch: 0, stores: [0, 1, 2, 3, 4, 5])
        let more = (0..<2).map { _ in MemoryStore() }
        let now = Placement(epoch: 1, stores: Array(0..<8), domains: [0, 0, 1, 2, 3, 4, 5, 6])
        try harness.pool.use(harness.faulty + more, [old, now])
        // Seven domains, and the blob lies in five of them.
        #expect(harness.pool.crowded(locator).count == 1)
        let report = try await harness.pool.repair(locator)
        #expect(report.isWhole && report.repairs.allSatisfy { $0.before == .crowded && [6, 7].contains($0.store) })
        #expect(harness.pool.crowded(report.locator).isEmpty)
        #expect(try await harness.fetch(report.locator) == bytes)
        #expect(throws: StorageError.self) { try harness.pool.use(harness.faulty, [old, now]) }
        #expect(throws: StorageError.self) { try harness.pool.use(harness.faulty + more, [now]) }
        let new = try await harness.store(bytes, &generator)
        #expect(new.placementEpoch == 1)
        #expect(try await harness.fetch(new) == bytes)
    }

    @Test("A store that the last list has not any more is read, and given nothing")
    func aStoreThatLeaves() async throws {
        var generator = SeededGenerator(seed: 65)
        let harness = try PoolHarness(stores: 7)
        let bytes = generator.bytes(9000)
        var locators: [BlobLocator] = []
        for _ in 0..<20 { locators.append(try await harness.store(bytes, &generator)) }
        let old = Placement(epoch: 0, stores: Array(0..<7))
        try harness.pool.use(harness.faulty, [old, Placement(epoch: 1, stores: [0, 1, 2, 4, 5, 6])])
        let before = try await harness.memory[3].blobs(after: nil, limit: 100)
        #expect(!before.isEmpty)
        for locator in locators {
            #expect(try await harness.fetch(locator) == bytes)
            // One shard of each is lost; it goes to a store that stays, also where it was at home on the other.
            let lost = try #require(try await harness.shards().first { $0.summary.name.whole == locator.name })
            try await harness.memory[lost.store].delete(lost.summary.name)
            let report = try await harness.pool.repair(locator)
            #expect(report.repairs.allSatisfy { $0.store != 3 })
            #expect(try await harness.fetch(report.locator) == bytes)
        }
        _ = try await harness.store(bytes, &generator)
        let after = try await harness.memory[3].blobs(after: nil, limit: 100)
        #expect(Set(after.map(\.name)).isSubset(of: before.map(\.name)))
    }
}

/// Stores that a pool knows to be away.
private final class StoresAway: Sendable {
    private let stores = Mutex<Set<Int>>([])

    func set(_ stores: some Sequence<Int>) {
        self.stores.withLock { $0 = Set(stores) }
    }

    func contains(_ store: Int) -> Bool { stores.withLock { $0.contains(store) } }
}
