import Erasure
import Storage

/// The stores of a pool, and the lists by which blobs are placed on them, as of one moment.
final class PoolMembers: Sendable {
    /// By position. A position is never taken away, since locators name it.
    let stores: [any BlobStore]
    /// Never empty; the current one is the last.
    let placements: [Placement]
    /// The failure domain of each store, as the current list has it; one of its own for a store that it has not.
    private let domains: [Int]
    /// Whether the current list has the store, so that it may be given shards.
    private let areActive: [Bool]

    /// - Throws: `unavailable` where a list names a store that is not there, or there are so few domains that one would
    ///   hold more than m shards of a blob.
    init(_ stores: [any BlobStore], _ placements: [Placement], _ geometry: Geometry) throws(StorageError) {
        guard let current = placements.last, stores.count <= Int(UInt16.max),
            placements.allSatisfy({ $0.stores.allSatisfy { Int($0) < stores.count } && !$0.stores.isEmpty })
        else { throw .unavailable("a placement names stores that the pool does not have") }
        var (domains, areActive) = (stores.indices.map { -1 - $0 }, stores.map { _ in false })
        for (store, domain) in zip(current.stores, current.domains) {
            domains[Int(store)] = Int(domain)
            areActive[Int(store)] = true
        }
        let count = Set(current.domains).count
        guard count * max(1, geometry.parityShards) >= geometry.shards else {
            throw .unavailable(
                count == current.stores.count
                    ? "\(count) stores are too few for \(geometry)"
                    : "\(count) failure domains are too few for \(geometry)")
        }
        (self.stores, self.placements, self.domains, self.areActive) = (stores, placements, domains, areActive)
    }

    var current: Placement { placements[placements.count - 1] }

    func domain(of store: Int) -> Int { store < domains.count ? domains[store] : -1 - store }

    func isActive(_ store: Int) -> Bool { store < areActive.count && areActive[store] }

    /// How many shards are left without the failure domain that holds most of them.
    func leftAfterWorstLoss(_ homes: [ShardHome]) -> Int {
        let held = held(homes)
        return held.values.reduce(0, +) - (held.values.max() ?? 0)
    }

    /// How many of the shards that have a store lie in each domain.
    func held(_ homes: some Sequence<ShardHome>) -> [Int: Int] {
        var held: [Int: Int] = [:]
        for home in homes { if let store = home.store { held[domain(of: store), default: 0] += 1 } }
        return held
    }
}
