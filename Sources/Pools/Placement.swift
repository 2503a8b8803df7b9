package import Primitives

/// A list of stores, and the rule that says which of them holds which shard of a blob.
///
/// The stores are ranked by a hash of the blob's name and the store's position (rendezvous hashing): load spreads
/// evenly, and a list with one more store moves only what the new store wins.
package struct Placement: Hashable, Sendable {
    /// What headers and locators name this list by. A list is never changed under its epoch.
    package var epoch: UInt32
    /// Positions in the pool's list of stores.
    package var stores: [UInt16]

    package init(epoch: UInt32, stores: [UInt16]) {
        (self.epoch, self.stores) = (epoch, stores)
    }

    /// The stores in the order in which they are to hold the shards of a blob: shard *i* is at home in number *i*,
    /// modulo the number of stores.
    package func order(for name: BlobName) -> [UInt16] {
        var seed = Self.mixed(UInt64(name.epoch) << 32 | UInt64(name.random))
        seed = Self.mixed(seed ^ name.counter)
        return stores.map { (rank: Self.mixed(seed ^ UInt64($0) &* 0x9e37_79b9_7f4a_7c15), store: $0) }
            .sorted { ($0.rank, $0.store) < ($1.rank, $1.store) }
            .map(\.store)
    }

    /// A bijection of 64 bits in which every bit depends on every other (the finalizer of SplitMix64).
    private static func mixed(_ word: UInt64) -> UInt64 {
        var word = word &+ 0x9e37_79b9_7f4a_7c15
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }
}
