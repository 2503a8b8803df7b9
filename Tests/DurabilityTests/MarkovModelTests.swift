import Glibc
import Testing
import TidegateTesting

@testable import Durability

@Suite("The Markov model")
struct MarkovModelTests {
    private static let geometries = [
        Redundancy(4, 2), Redundancy(1, 2), Redundancy(6, 3), Redundancy(5, 0), Redundancy(2, 5), Redundancy(1, 1),
    ]

    @Test("17+3 has the published nines", arguments: [(MarkovModel.Repair.serial, 9.75), (.parallel, 10.53)])
    func published(_ repair: MarkovModel.Repair, _ wanted: Double) {
        let nines = MarkovModel(Redundancy(17, 3), BinomialModelTests.published, repair: repair).perYear.nines
        #expect(abs(nines - wanted) < 0.005)
    }

    /// (λ(2n − 1) + μ) / (n(n − 1)λ²), the mean time to data loss of a RAID 5 (Patterson, Gibson and Katz, 1988).
    @Test("One parity shard gives the time of the textbooks")
    func oneParity() {
        let rates = ShardRates(lossesPerYear: 0.3, repairDays: 20)
        for shards in 2..<20 {
            let (count, loss, repair) = (Double(shards), 0.3, 365.0 / 20)
            let wanted = (loss * (2 * count - 1) + repair) / (count * (count - 1) * loss * loss)
            for kind in MarkovModel.Repair.allCases {
                let found = MarkovModel(Redundancy(shards - 1, 1), rates, repair: kind).yearsToLoss
                #expect(isSame(found, wanted, within: 1e-12))
            }
        }
    }

    @Test("It solves the equations that an elimination with pivots solves", arguments: geometries)
    func linearEquations(_ redundancy: Redundancy) {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<50 {
            let rates = ShardRates(
                lossesPerYear: Double.random(in: 0.1...3, using: &random),
                repairDays: Double.random(in: 10...400, using: &random))
            for kind in MarkovModel.Repair.allCases {
                for shards in 0...3 {
                    let domain: MarkovModel.DomainLoss? =
                        shards == 0
                        ? nil
                        : MarkovModel.DomainLoss(
                            shards: shards, lossesPerYear: Double.random(in: 0.01...1, using: &random))
                    let model = MarkovModel(redundancy, rates, repair: kind, domain: domain)
                    #expect(isSame(model.yearsToLoss, Chain(model).timeToLoss(), within: 1e-6), "\(model)")
                }
                let model = MarkovModel(redundancy, rates, repair: kind)
                for missing in 1..<(redundancy.parityShards + 1) {
                    let chance = Chain(model).lossBeforeWhole(from: missing)
                    let wanted = min(1, chance + model.perYear.value)
                    #expect(isSame(model.perYear(missing: missing).value, wanted, within: 1e-6))
                }
            }
        }
    }

    @Test("It is what happens to shards that fail by chance", arguments: geometries.prefix(3))
    func simulated(_ redundancy: Redundancy) {
        let rates = ShardRates(lossesPerYear: 1.5, repairDays: 60)
        for kind in MarkovModel.Repair.allCases {
            for domain in [nil, MarkovModel.DomainLoss(shards: 2, lossesPerYear: 0.2)] {
                var random = SeededGenerator(seed: 5)
                let model = MarkovModel(redundancy, rates, repair: kind, domain: domain)
                let times = (0..<4000).map { _ in Life(model).timeToLoss(&random) }
                let mean = times.reduce(0, +) / Double(times.count)
                let squares = times.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
                let deviation = squares.squareRoot() / Double(times.count)
                #expect(abs(mean - model.yearsToLoss) < 4 * deviation, "\(model): \(mean)")
                // In a first year shorter than that, a loss is not more likely than the model says, up to chance.
                let lost = Double(times.count { $0 < 1 }) / Double(times.count)
                guard domain == nil, model.yearsToLoss > 1 else { continue }
                #expect(lost < model.perYear.value + 4 * (0.25 / Double(times.count)).squareRoot())
            }
        }
    }

    @Test("What never fails is never lost, and what is repaired at once is lost only without parity")
    func limits() {
        let (one, six) = (Redundancy(1, 0), Redundancy(4, 2))
        for kind in MarkovModel.Repair.allCases {
            func year(_ redundancy: Redundancy, _ losses: Double, _ days: Double) -> LossProbability {
                MarkovModel(redundancy, ShardRates(lossesPerYear: losses, repairDays: days), repair: kind).perYear
            }
            #expect(year(six, 0, 7) == .none)
            #expect(year(six, 5, 0) == .none)
            #expect(isSame(year(one, 0.1, 0).value, 1 - exp(-0.1), within: 1e-12))
            #expect(isSame(year(one, 0.1, 7).value, 1 - exp(-0.1), within: 1e-12))
            #expect(year(six, .infinity, 7) == .certain)
            // Nothing is repaired: the times until the first, second and third loss of six.
            let never = MarkovModel(six, ShardRates(lossesPerYear: 0.5, repairDays: .infinity), repair: kind)
            #expect(isSame(never.yearsToLoss, 2 * (1.0 / 6 + 1.0 / 5 + 1.0 / 4), within: 1e-12))
            // Domains alone.
            let domain = MarkovModel.DomainLoss(shards: 3, lossesPerYear: 0.01)
            let fixed = MarkovModel(six, ShardRates(lossesPerYear: 0, repairDays: 0), repair: kind, domain: domain)
            #expect(isSame(fixed.yearsToLoss, 50, within: 1e-12))
        }
    }

    @Test("A blob that lacks shards has fewer nines, and one that lacks too many has none")
    func degraded() {
        for kind in MarkovModel.Repair.allCases {
            let model = MarkovModel(Redundancy(17, 3), BinomialModelTests.published, repair: kind)
            let nines = (0...5).map { model.perYear(missing: $0).nines }
            #expect(nines[0] == model.perYear.nines)
            #expect(zip(nines, nines.dropFirst()).prefix(4).allSatisfy { $0 > $1 })
            #expect(nines[4] == 0 && nines[5] == 0)
        }
    }

    @Test("Nothing overflows with as many shards as there can be")
    func largest() {
        for kind in MarkovModel.Repair.allCases {
            let rates = ShardRates(lossesPerYear: 0.001, repairDays: 0.0001)
            var before = -1.0
            for parity in stride(from: 0, through: 254, by: 127) {
                let model = MarkovModel(
                    Redundancy(255 - parity, parity), rates, repair: kind,
                    domain: MarkovModel.DomainLoss(shards: 1, lossesPerYear: 0.001))
                let nines = model.perYear.nines
                #expect(nines.isFinite && nines > before)
                before = nines
                #expect(model.perYear(missing: parity).nines.isFinite)
            }
            #expect(before > 1500)
        }
    }

    @Test("The loss of domains costs nines, the more the more shards each holds")
    func domains() {
        let rates = BinomialModelTests.published
        let nines = (0...4).map { shards in
            MarkovModel(
                Redundancy(17, 3), rates, repair: .parallel,
                domain: shards == 0 ? nil : MarkovModel.DomainLoss(shards: shards, lossesPerYear: 0.001)
            ).perYear.nines
        }
        #expect(zip(nines, nines.dropFirst()).allSatisfy { $0 > $1 })
        // Four shards in one of five domains: its loss is the loss of the blob.
        #expect(abs(nines[4] + log10(5 * 0.001)) < 0.01)
        #expect(Redundancy(17, 3).ofDomains(holding: 2) == Redundancy(9, 1))
        #expect(Redundancy(17, 3).ofDomains(holding: 4) == Redundancy(5, 0))
        #expect(Redundancy(4, 2).ofDomains(holding: 1) == Redundancy(4, 2))
        #expect(Redundancy(1, 2).ofDomains(holding: 9) == Redundancy(1, 0))
    }
}

/// The equations of a chain, solved as textbooks do, which costs digits where repairs are much faster than losses.
private struct Chain {
    /// The rates between states; the last state is the loss.
    private var rates: [[Double]]
    private let parity: Int

    init(_ model: MarkovModel) {
        parity = model.redundancy.parityShards
        rates = [[Double]](repeating: [Double](repeating: 0, count: parity + 2), count: parity + 1)
        for missing in 0...parity {
            let left = model.redundancy.shards - missing
            rates[missing][missing + 1] += Double(left) * model.rates.lossesPerYear
            if missing > 0 {
                let repairs = model.repair == .serial ? 1 : Double(missing)
                rates[missing][missing - 1] += repairs * 365 / model.rates.repairDays
            }
            if let domain = model.domain {
                let domains = (Double(left) / Double(domain.shards)).rounded(.up)
                rates[missing][min(parity + 1, missing + min(left, domain.shards))] += domains * domain.lossesPerYear
            }
        }
    }

    func timeToLoss() -> Double {
        solved(0...parity, right: [Double](repeating: 1, count: parity + 1))[0]
    }

    func lossBeforeWhole(from missing: Int) -> Double {
        solved(1...parity, right: (1...parity).map { rates[$0][parity + 1] })[missing - 1]
    }

    /// Solves Σ rates · (xᵢ − xⱼ) = right over some states; the others are 0.
    private func solved(_ states: ClosedRange<Int>, right: [Double]) -> [Double] {
        var rows = states.map { state in
            states.map { $0 == state ? rates[state].reduce(0, +) : -rates[state][$0] } + [
                right[state - states.lowerBound]
            ]
        }
        let count = rows.count
        for column in 0..<count {
            let pivot = (column..<count).max { abs(rows[$0][column]) < abs(rows[$1][column]) } ?? column
            rows.swapAt(column, pivot)
            for row in 0..<count where row != column {
                let factor = rows[row][column] / rows[column][column]
                for place in column...count { rows[row][place] -= factor * rows[column][place] }
            }
        }
        return rows.enumerated().map { $1[count] / $1[$0] }
    }
}

/// The life of one blob, whose shards have clocks of their own.
private struct Life {
    private let model: MarkovModel

    init(_ model: MarkovModel) {
        self.model = model
    }

    func timeToLoss(_ random: inout SeededGenerator) -> Double {
        let (losses, repairs) = (model.rates.lossesPerYear, 365 / model.rates.repairDays)
        var (now, lost): (Double, Set<Int>) = (0, [])
        var due = (0..<model.redundancy.shards).map { _ in exponential(rate: losses, &random) }
        var domainsDue = nextDomainLoss(lost, now, &random)
        while true {
            // The shard that is repaired, or one after the other the one that has waited longest.
            let next = due.indices.filter { due[$0] < .infinity }.min { due[$0] < due[$1] } ?? 0
            if domainsDue < due[next] {
                now = domainsDue
                for shard in due.indices.filter({ !lost.contains($0) }).prefix(model.domain?.shards ?? 0) {
                    lose(shard, now, repairs, &lost, &due, &random)
                }
            } else {
                now = due[next]
                if lost.contains(next) {
                    lost.remove(next)
                    due[next] = now + exponential(rate: losses, &random)
                    if model.repair == .serial, let waiting = lost.first {
                        due[waiting] = now + exponential(rate: repairs, &random)
                    }
                } else {
                    lose(next, now, repairs, &lost, &due, &random)
                }
            }
            if lost.count > model.redundancy.parityShards { return now }
            domainsDue = nextDomainLoss(lost, now, &random)
        }
    }

    private func lose(
        _ shard: Int, _ now: Double, _ repairs: Double, _ lost: inout Set<Int>, _ due: inout [Double],
        _ random: inout SeededGenerator
    ) {
        let waits = model.repair == .serial && !lost.isEmpty
        lost.insert(shard)
        due[shard] = waits ? .infinity : now + exponential(rate: repairs, &random)
    }

    /// Drawn anew after each event, which a time without memory allows.
    private func nextDomainLoss(_ lost: Set<Int>, _ now: Double, _ random: inout SeededGenerator) -> Double {
        guard let domain = model.domain else { return .infinity }
        let domains = (model.redundancy.shards - lost.count + domain.shards - 1) / domain.shards
        return now + exponential(rate: Double(domains) * domain.lossesPerYear, &random)
    }
}
