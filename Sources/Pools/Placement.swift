package import Primitives

/// A list of stores, and the rule that says which of them holds which shard of a blob.
///
/// The stores are ranked by a hash of the blob's name and the store's position (rendezvous hashing): load spreads
/// evenly, and a list with one more store moves only what the new store wins. Where stores share a failure domain, the
/// best store of each domain comes before any second one, so that no domain has two shards while another has none.
/// Stores of unlike sizes have weights: the first place of a blob falls to each in proportion to its weight.
package struct Placement: Hashable, Sendable {
    /// What headers and locators name this list by. A list is never changed under its epoch.
    package let epoch: UInt32
    /// Positions in the pool's list of stores.
    package let stores: [UInt16]
    /// The failure domain of each of these, by a number that those that would fail together share.
    package let domains: [UInt16]
    /// The weight of each of these; nil where they are all the same.
    package let weights: [UInt16]?
    /// Whether each store is a domain of its own.
    private let isFlat: Bool

    /// The greatest weight; the least is 1.
    package static let mostWeight: UInt16 = 10_000

    /// - Parameters:
    ///   - domains: one for each store; nil where each is a domain of its own.
    ///   - weights: one for each store, 1…`mostWeight`; nil where they are all the same.
    package init(epoch: UInt32, stores: [UInt16], domains: [UInt16]? = nil, weights: [UInt16]? = nil) {
        (self.epoch, self.stores) = (epoch, stores)
        let given = domains.flatMap { $0.count == stores.count ? $0 : nil }
        self.domains = given ?? stores
        isFlat = given.map { Set($0).count == stores.count } ?? true
        self.weights = weights.flatMap { weights in
            weights.count == stores.count && Set(weights).count > 1
                ? weights.map { min(max(1, $0), Self.mostWeight) } : nil
        }
    }

    /// The stores in the order in which they are to hold the shards of a blob: shard *i* is at home in number *i*,
    /// modulo the length of the list. Where a domain has fewer stores than another, its stores stand there again.
    package func order(for name: BlobName) -> [UInt16] {
        var seed = Self.mixed(UInt64(name.epoch) << 32 | UInt64(name.random))
        seed = Self.mixed(seed ^ name.counter)
        let hashes = stores.map { Self.mixed(seed ^ UInt64($0) &* 0x9e37_79b9_7f4a_7c15) }
        let ranked = ranked(by: hashes)
        return isFlat ? ranked.map { stores[$0] } : inTurns(ranked)
    }

    /// The places of the list, the best one first.
    private func ranked(by hashes: [UInt64]) -> [Int] {
        guard let weights else {
            return stores.indices.sorted { (hashes[$0], stores[$0]) < (hashes[$1], stores[$1]) }
        }
        return stores.indices
            .map { (rank: StoreRank(hash: hashes[$0], store: stores[$0], weight: weights[$0]), place: $0) }
            .sorted { $0.rank < $1.rank }.map(\.place)
    }

    /// The best store of each domain, then the second best of each, and so on; a domain that has no further one begins
    /// anew, so that each turn takes every domain once.
    private func inTurns(_ ranked: [Int]) -> [UInt16] {
        var (members, order): ([UInt16: [UInt16]], [UInt16]) = ([:], [])
        for place in ranked {
            if members[domains[place]] == nil { order.append(domains[place]) }
            members[domains[place], default: []].append(stores[place])
        }
        let turns = members.values.map(\.count).max() ?? 0
        return (0..<turns).flatMap { turn in
            order.compactMap { domain in members[domain].map { $0[turn % $0.count] } }
        }
    }

    /// A bijection of 64 bits in which every bit depends on every other (the finalizer of SplitMix64).
    private static func mixed(_ word: UInt64) -> UInt64 {
        var word = word &+ 0x9e37_79b9_7f4a_7c15
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }
}
