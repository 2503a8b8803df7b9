/// What is worth recommending for a wanted number of nines: the cheapest redundancy that reaches them.
package struct Recommendation: Hashable, Sendable {
    package let redundancy: Redundancy
    /// What it reaches by the least favourable of the models: binomial, and Markov with serial repair.
    package let nines: Double

    /// Failure domains that it takes: each holds one shard of a blob.
    package var domains: Int { redundancy.shards }

    /// Which k + m are looked at.
    package struct Bounds: Hashable, Sendable {
        package var dataShards: ClosedRange<Int>
        package var parityShards: ClosedRange<Int>
        /// The most failure domains that there are, or are to be bought.
        package var domains: Int

        package init(dataShards: ClosedRange<Int> = 1...32, parityShards: ClosedRange<Int> = 0...16, domains: Int) {
            (self.dataShards, self.parityShards, self.domains) = (dataShards, parityShards, domains)
        }
    }

    /// The nines by the least favourable model.
    package static func nines(of redundancy: Redundancy, _ rates: ShardRates) -> Double {
        min(
            BinomialModel.perYear(redundancy, rates).nines,
            MarkovModel(redundancy, rates, repair: .serial).perYear.nines)
    }

    /// The redundancy that stores the fewest bytes for a byte of data, and of those alike the one with the fewest
    /// domains, among all that reach what is wanted.
    ///
    /// - Parameter rates: Of one shard in a failure domain of its own.
    /// - Returns: Nil where none does.
    package static func cheapest(nines wanted: Double, _ rates: ShardRates, _ bounds: Bounds) -> Recommendation? {
        var best: Recommendation?
        for dataShards in bounds.dataShards {
            for parityShards in bounds.parityShards where dataShards + parityShards <= bounds.domains {
                let redundancy = Redundancy(dataShards, parityShards)
                if let best, !isCheaper(redundancy, than: best.redundancy) { continue }
                let nines = nines(of: redundancy, rates)
                if nines >= wanted { best = Recommendation(redundancy: redundancy, nines: nines) }
            }
        }
        return best
    }

    /// Compared in whole numbers: shards by data shards, crosswise.
    private static func isCheaper(_ left: Redundancy, than right: Redundancy) -> Bool {
        let (one, other) = (left.shards * right.dataShards, right.shards * left.dataShards)
        return (one, left.shards) < (other, right.shards)
    }
}
