/// How well a store does for a blob, among stores that are to hold shards in proportion to their weights: the least one
/// is the best.
///
/// A hash that looks drawn evenly from 0…1 becomes `-log2(1 - hash) / weight`, an exponential variable: the least of
/// several is a store's own with the probability of its share of the weights, whatever the others are (weighted
/// rendezvous hashing). Where all weights are the same, the order is that of the hashes.
///
/// Where shards lie follows from it for good, on whatever machine they are looked for: so all is done with whole
/// numbers, and nothing is divided.
struct StoreRank: Comparable {
    private let hash: UInt64
    /// In units of 2⁻³², below 2³⁹.
    private let logarithm: UInt64
    private let weight: UInt64
    private let store: UInt16

    /// - Parameter weight: 1…`Placement.mostWeight`.
    init(hash: UInt64, store: UInt16, weight: UInt16) {
        (self.hash, self.store, self.weight) = (hash, store, UInt64(weight))
        logarithm = Self.logarithm(hash)
    }

    static func < (left: StoreRank, right: StoreRank) -> Bool {
        // Less than 2⁵³ each.
        let (mine, theirs) = (left.logarithm * right.weight, right.logarithm * left.weight)
        return (mine, left.hash, left.store) < (theirs, right.hash, right.store)
    }

    static func == (left: StoreRank, right: StoreRank) -> Bool { !(left < right) && !(right < left) }

    /// `-log2(1 - hash / 2⁶⁴)` in units of 2⁻³², rounded up; never less for a greater hash.
    ///
    /// The bits of a logarithm come out of a number of 1…2 one by one as it is squared and, where that makes it 2 or
    /// more, halved. No constant is needed, and cutting the squares off keeps the order of numbers.
    static func logarithm(_ hash: UInt64) -> UInt64 {
        guard hash != 0 else { return 0 }
        let rest = 0 &- hash
        let whole = 63 - UInt64(rest.leadingZeroBitCount)
        // The number without its power of two, in units of 2⁻⁶³.
        var number = rest << UInt64(rest.leadingZeroBitCount)
        var fraction: UInt64 = 0
        for _ in 0..<32 {
            let square = number.multipliedFullWidth(by: number).high
            let bit = square >> 63
            fraction = fraction << 1 | bit
            number = square << (1 - bit)
        }
        return 64 << 32 - (whole << 32 | fraction)
    }
}
