import Erasure
import Metadata
import Pools
import Primitives
import Storage
import Testing
import TidegateTesting

/// Placement over backends that are buckets of Ceph clusters, some of which share hosts.
@Suite("Backends that share failure domains")
struct CrushPlacementTests {
    /// For each store the hosts that its rule can choose, of few enough that many are shared.
    private static func stores(_ count: Int, _ generator: inout SeededGenerator) -> [FailureDomain] {
        let machines = Int.random(in: 8...30, using: &generator)
        return (0..<count).map { _ in
            let first = Int.random(in: 0..<machines, using: &generator)
            let hosts = (0..<Int.random(in: 1...2, using: &generator)).map { "cluster/host/h\(first + $0)" }
            return FailureDomain(hosts: hosts)
        }
    }

    private static func share(_ first: FailureDomain, _ second: FailureDomain) -> Bool {
        !Set(first.hosts).isDisjoint(with: second.hosts)
    }

    @Test("No two hold a shard of a blob while there are as many domains as shards, whatever is away")
    func whateverIsAway() async throws {
        var generator = SeededGenerator(seed: 90)
        var (spread, crowded) = (0, 0)
        for round in 0..<150 {
            let stores = Self.stores(Int.random(in: 6...14, using: &generator), &generator)
            let geometry = try Geometry(dataShards: 3, parityShards: 2, cellSize: 1024)
            let numbers = FailureDomains.numbers(stores, at: .host, shards: 5, parity: 2)
            let domains = numbers ?? stores.indices.map { UInt16($0) }
            guard Set(domains).count >= 3 else { continue }
            let away = Set(stores.indices.filter { _ in Int.random(in: 0..<6, using: &generator) == 0 })
            let harness = try PoolHarness(
                stores: stores.count, geometry: geometry,
                configure: { configuration in
                    configuration.placements = [
                        Placement(epoch: 1, stores: stores.indices.map { UInt16($0) }, domains: numbers)
                    ]
                    configuration.isAway = { away.contains($0) }
                })
            for store in away { harness.faulty[store].isAvailable = false }
            let up = Set(stores.indices.filter { !away.contains($0) }.map { domains[$0] })
            do throws(StorageError) {
                _ = try await harness.pool.store(generator.blobName(), Body([1, 2, 3])) { [] }
            } catch {
                #expect(up.count < 3, "round \(round): \(error)")
                continue
            }
            let held = try await harness.shards().map(\.store)
            let pairs = held.indices.flatMap { first in held[(first + 1)...].map { (held[first], $0) } }
            let sharing = pairs.filter { $0 == $1 || Self.share(stores[$0], stores[$1]) }
            if up.count >= geometry.shards {
                #expect(sharing.isEmpty, "round \(round): \(sharing)")
                spread += 1
            } else {
                // Each domain that is up has one before any has two, and none has more than m.
                let counts = Dictionary(held.map { (domains[$0], 1) }, uniquingKeysWith: +)
                #expect(Set(counts.keys) == up && counts.values.allSatisfy { $0 <= 2 }, "round \(round): \(counts)")
                crowded += 1
            }
        }
        #expect(spread > 20 && crowded > 20, "\(spread) and \(crowded) rounds")
    }
}
