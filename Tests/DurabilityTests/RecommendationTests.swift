import Testing
import TidegateTesting

@testable import Durability

@Suite("What is recommended, and what was observed")
struct RecommendationTests {
    @Test("Nothing cheaper reaches the nines, by a search of everything")
    func cheapest() {
        var random = SeededGenerator(seed: 3)
        var found = 0
        for _ in 0..<100 {
            let rates = ShardRates(
                lossesPerYear: Double.random(in: 0.001...0.3, using: &random),
                repairDays: Double.random(in: 0.01...60, using: &random))
            let wanted = Double.random(in: 1...15, using: &random)
            let bounds = Recommendation.Bounds(
                dataShards: 1...12, parityShards: 0...8, domains: Int.random(in: 1...16, using: &random))
            var all: [Redundancy] = []
            for dataShards in 1...12 {
                for parityShards in 0...8 {
                    let redundancy = Redundancy(dataShards, parityShards)
                    let nines = min(
                        BinomialModel.perYear(redundancy, rates).nines,
                        MarkovModel(redundancy, rates, repair: .serial).perYear.nines,
                        MarkovModel(redundancy, rates, repair: .parallel).perYear.nines)
                    if dataShards + parityShards <= bounds.domains, nines >= wanted { all.append(redundancy) }
                }
            }
            let best = all.min {
                ($0.shards * $1.dataShards, $0.shards) < ($1.shards * $0.dataShards, $1.shards)
            }
            let recommended = Recommendation.cheapest(nines: wanted, rates, bounds)
            #expect(recommended?.redundancy == best, "\(wanted) nines at \(rates) with \(bounds)")
            if let recommended {
                #expect(recommended.nines >= wanted && recommended.domains <= bounds.domains)
                found += 1
            }
        }
        #expect(found > 20 && found < 100)
    }

    @Test("What cannot be reached is not recommended")
    func unreachable() {
        let rates = ShardRates(lossesPerYear: 0.05, repairDays: 30)
        #expect(Recommendation.cheapest(nines: 11, rates, Recommendation.Bounds(domains: 2)) == nil)
        #expect(Recommendation.cheapest(nines: .infinity, rates, Recommendation.Bounds(domains: 40)) == nil)
        #expect(Recommendation.cheapest(nines: 1, rates, Recommendation.Bounds(domains: 0)) == nil)
        let never = ShardRates(lossesPerYear: 0, repairDays: 30)
        #expect(
            Recommendation.cheapest(nines: 20, never, Recommendation.Bounds(domains: 6))?.redundancy == Redundancy(1, 0)
        )
    }

    /// Half of the 95 % quantiles of χ², from its tables.
    @Test(
        "Few events leave much open",
        arguments: [(0, 2.9957), (1, 4.7439), (2, 6.2958), (3, 7.7537), (5, 10.5130), (10, 16.9622), (50, 63.2873)])
    func bounds(_ events: Int, _ wanted: Double) {
        #expect(isSame(EventRate.mostExpected(events), wanted, within: 2e-5))
        let rate = EventRate(events: events, years: 2)
        #expect(rate.upperBound.map { isSame($0, wanted / 2, within: 2e-5) } == true)
        #expect(rate.perYear == Double(events) / 2)
    }

    @Test("Many events are approximated, without a step")
    func manyEvents() {
        #expect(isSame(EventRate.approximated(999), EventRate.mostExpected(999), within: 1e-6))
        #expect(EventRate.mostExpected(999) < EventRate.mostExpected(1000))
        #expect(isSame(EventRate.mostExpected(100_000_000), 1e8, within: 1e-3))
    }

    /// Half of the 5 % quantiles of χ².
    @Test(
        "Some events are no chance",
        arguments: [(0, 0), (1, 0.05129), (2, 0.35536), (3, 0.81769), (5, 1.97015), (10, 5.42541)])
    func lowerBounds(_ events: Int, _ wanted: Double) {
        #expect(abs(EventRate.fewestExpected(events) - wanted) < 1e-5)
        #expect(EventRate.fewestExpected(1000) > EventRate.fewestExpected(999) - 4)
        #expect(EventRate(events: events, years: 2).lowerBound == EventRate.fewestExpected(events) / 2)
    }

    @Test("Parity rises where losses are certain to be more than was expected, and never falls below its floor")
    func adaptive() {
        let expected = ShardRates(lossesPerYear: 0.02, repairDays: 1)
        let rule = AdaptiveParity(dataShards: 4, floor: 2, ceiling: 5, expected: expected)
        func parity(_ events: Int, _ years: Double, days: Double? = nil, domains: Int = 20) -> Int {
            rule.parity(losses: EventRate(events: events, years: years), repairDays: days, domains: domains)
        }
        #expect(parity(0, 0) == 2 && parity(0, 100) == 2 && parity(2, 100) == 2)
        // Once in ten years of stores is not certain to be more than once in fifty.
        #expect(parity(1, 10) == 2)
        #expect(parity(8, 100) == 3 && parity(1, 1) == 5 && parity(1000, 1) == 5)
        // As many as are needed, and no more.
        let wanted = Recommendation.nines(of: Redundancy(4, 2), expected)
        let seen = ShardRates(lossesPerYear: 0.08, repairDays: 1)
        #expect(Recommendation.nines(of: Redundancy(4, 3), seen) >= wanted)
        #expect(Recommendation.nines(of: Redundancy(4, 2), seen) < wanted)
        // Slow repairs count, and so do the domains that there are.
        #expect(parity(8, 100, days: 30) > 3)
        #expect(parity(1000, 1, domains: 7) == 3 && parity(1000, 1, domains: 3) == 2)
        let fixed = AdaptiveParity(dataShards: 4, floor: 2, ceiling: 1, expected: expected)
        #expect(fixed.parity(losses: EventRate(events: 9, years: 1), repairDays: nil, domains: 20) == 2)
    }

    @Test("Nothing watched is nothing known")
    func unwatched() {
        #expect(EventRate(events: 0, years: 0).upperBound == nil)
        #expect(EventRate(events: 3, years: -1).perYear == nil)
    }
}
