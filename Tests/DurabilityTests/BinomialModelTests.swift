import Glibc
import Testing
import TidegateTesting

@testable import Durability

@Suite("The binomial model")
struct BinomialModelTests {
    static let published = ShardRates(lossesPerYear: 0.00405, repairDays: 6.5)

    /// The table in the README of Backblaze's erasure-coding-durability, for `17 3 0.00405 6.5`: so many losses in a
    /// period lose the blob, with this probability, and with that one within a year. Of what is rarest it counts 56
    /// whole periods in a year instead of 365 / 6.5.
    @Test(
        "It gives the published figures",
        arguments: [
            (1, 1.441e-03, 7.781e-02), (2, 9.874e-07, 5.545e-05), (3, 4.273e-10, 2.399e-08), (4, 1.310e-13, 7.354e-12),
            (5, 3.022e-17, 1.693e-15), (6, 5.450e-21, 3.052e-19), (10, 7.029e-37, 3.936e-35),
            (20, 1.449e-83, 8.117e-82),
        ])
    func published(_ losses: Int, _ perPeriod: Double, _ perYear: Double) {
        let redundancy = Redundancy(21 - losses, losses - 1)
        #expect(isSame(BinomialModel.perPeriod(redundancy, Self.published).value, perPeriod, within: 4e-4))
        #expect(
            isSame(BinomialModel.perYear(redundancy, Self.published).value, perYear, within: losses > 4 ? 3e-3 : 4e-4))
    }

    /// 1.310e-13 times 365 / 6.5 periods is 7.36e-12, as the figure is given where the factors are rounded first.
    @Test("The figure for 17+3 has eleven nines")
    func elevenNines() {
        let year = BinomialModel.perYear(Redundancy(17, 3), Self.published)
        #expect(isSame(year.value, 7.36e-12, within: 1e-3))
        #expect(year.nines > 11.13 && year.nines < 11.14)
    }

    @Test("It is what the sum over every set of failures is", arguments: 1...10)
    func bruteForce(_ count: Int) {
        var random = SeededGenerator(seed: UInt64(count))
        for tolerated in 0..<count {
            let rate = Double.random(in: 0.01...3, using: &random)
            let fails = 1 - exp(-rate)
            var sum = 0.0
            for set in 0..<(1 << count) where set.nonzeroBitCount > tolerated {
                sum += pow(fails, Double(set.nonzeroBitCount)) * pow(1 - fails, Double(count - set.nonzeroBitCount))
            }
            let found = BinomialModel.moreThan(tolerated, of: count, expected: rate)
            #expect(isSame(found.value, sum, within: 1e-10), "\(tolerated) of \(count) at \(rate)")
        }
    }

    @Test("It is what happens to shards that fail by chance", arguments: [(4, 2), (1, 2), (6, 3), (5, 0)])
    func simulated(_ dataShards: Int, _ parityShards: Int) {
        let (redundancy, rates) = (Redundancy(dataShards, parityShards), ShardRates(lossesPerYear: 2, repairDays: 50))
        var random = SeededGenerator(seed: 7)
        let tries = 100_000
        var lost = 0
        for _ in 0..<tries {
            let failed = (0..<redundancy.shards).count { _ in
                exponential(rate: 2, &random) < 50.0 / 365
            }
            if failed > parityShards { lost += 1 }
        }
        let expected = BinomialModel.perPeriod(redundancy, rates).value
        let deviation = (expected * (1 - expected) / Double(tries)).squareRoot()
        #expect(abs(Double(lost) / Double(tries) - expected) < 4 * deviation)
    }

    @Test("What never fails is never lost, and what is repaired at once is lost only without parity")
    func limits() {
        let (one, six) = (Redundancy(1, 0), Redundancy(4, 2))
        #expect(BinomialModel.perYear(six, ShardRates(lossesPerYear: 0, repairDays: 7)) == .none)
        #expect(BinomialModel.perYear(six, ShardRates(lossesPerYear: 5, repairDays: 0)) == .none)
        let once = BinomialModel.perYear(one, ShardRates(lossesPerYear: 0.1, repairDays: 0)).value
        #expect(isSame(once, 1 - exp(-0.1), within: 1e-12))
        // Whatever the period is, one copy is lost with the same probability.
        for days in [0.001, 1, 6.5, 365] {
            let year = BinomialModel.perYear(one, ShardRates(lossesPerYear: 0.1, repairDays: days)).value
            #expect(isSame(year, 1 - exp(-0.1), within: 1e-12))
        }
        let never = BinomialModel.perYear(six, ShardRates(lossesPerYear: 0.2, repairDays: .infinity))
        #expect(never == BinomialModel.moreThan(2, of: 6, expected: 0.2))
        #expect(BinomialModel.perYear(six, ShardRates(lossesPerYear: .infinity, repairDays: 7)) == .certain)
        #expect(BinomialModel.perYear(six, ShardRates(lossesPerYear: .nan, repairDays: .nan)) == .none)
        #expect(LossProbability.none.nines == .infinity && LossProbability.certain.nines == 0)
    }

    @Test("Nothing overflows with as many shards as there can be, and more parity never harms")
    func largest() {
        let rates = ShardRates(lossesPerYear: 0.01, repairDays: 0.001)
        var before = -1.0
        for parity in 0..<255 {
            let nines = BinomialModel.perYear(Redundancy(255 - parity, parity), rates).nines
            #expect(nines.isFinite && nines > before)
            before = nines
        }
        #expect(before > 1800)
    }
}

/// Whether a number is another one up to a share of it.
func isSame(_ found: Double, _ wanted: Double, within share: Double) -> Bool {
    abs(found - wanted) <= share * abs(wanted)
}

/// A time that is distributed exponentially.
func exponential(rate: Double, _ random: inout SeededGenerator) -> Double {
    -log(Double.random(in: Double.leastNonzeroMagnitude..<1, using: &random)) / rate
}
