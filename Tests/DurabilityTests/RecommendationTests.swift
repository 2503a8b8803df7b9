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

    @Test("Nothing watched is nothing known")
    func unwatched() {
        #expect(EventRate(events: 0, years: 0).upperBound == nil)
        #expect(EventRate(events: 3, years: -1).perYear == nil)
    }
}
