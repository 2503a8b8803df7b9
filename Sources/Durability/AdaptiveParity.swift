/// How many parity shards new blobs are given where stores are seen to lose more than was expected of them.
package struct AdaptiveParity: Hashable, Sendable {
    package let dataShards: Int
    /// What is configured, and is never gone below.
    package let floor: Int
    package let ceiling: Int
    /// What is expected of a shard, from which the nines follow that the floor is meant to have.
    package let expected: ShardRates

    package init(dataShards: Int, floor: Int, ceiling: Int, expected: ShardRates) {
        (self.dataShards, self.floor, self.ceiling) = (dataShards, floor, max(floor, ceiling))
        self.expected = expected
    }

    /// The fewest parity shards, from the floor to the ceiling, that have as many nines at the observed rates as the
    /// floor was meant to have; the ceiling where none do.
    ///
    /// More losses are believed only where, with 95 % confidence, there are more than were expected: the floor holds
    /// otherwise.
    ///
    /// - Parameters:
    ///   - losses: Stores that were seen to lose everything.
    ///   - repairDays: The mean time of a repair, as it was observed; nil where none was.
    ///   - domains: Failure domains that there are: no more shards are of use.
    package func parity(losses: EventRate, repairDays: Double?, domains: Int) -> Int {
        guard let certain = losses.lowerBound, let observed = losses.perYear, certain > expected.lossesPerYear else {
            return floor
        }
        let rates = ShardRates(
            lossesPerYear: observed, repairDays: max(expected.repairDays, repairDays ?? expected.repairDays))
        let wanted = Recommendation.nines(of: Redundancy(dataShards, floor), expected)
        let most = max(floor, min(ceiling, domains - dataShards))
        return (floor...most).first { Recommendation.nines(of: Redundancy(dataShards, $0), rates) >= wanted } ?? most
    }
}
