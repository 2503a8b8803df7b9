import Glibc

/// The loss of a blob where a year is cut into periods as long as a repair takes: whatever was lost in a period is
/// there again in the next one, and more than m losses in one period lose the blob.
///
/// This is the calculation that Backblaze published (erasure-coding-durability, 2018): a shard is lost in a period with
/// the probability 1 − exp(−rate · period), independently of the others, so that the number of losses is binomial.
package enum BinomialModel {
    /// The probability that a blob is lost within one period.
    ///
    /// A period is no longer than a year: what is lost then, and never repaired, is lost within the year.
    package static func perPeriod(_ redundancy: Redundancy, _ rates: ShardRates) -> LossProbability {
        moreThan(
            redundancy.parityShards, of: redundancy.shards,
            expected: rates.lossesPerYear * period(rates) / ShardRates.daysPerYear)
    }

    /// The probability that a blob is lost within a year.
    package static func perYear(_ redundancy: Redundancy, _ rates: ShardRates) -> LossProbability {
        guard rates.repairDays > 0 else {
            // What is repaired at once never comes together with another loss. Without parity the first one is enough.
            guard redundancy.parityShards == 0 else { return .none }
            return moreThan(0, of: redundancy.shards, expected: rates.lossesPerYear)
        }
        return perPeriod(redundancy, rates).atLeastOnce(in: ShardRates.daysPerYear / period(rates))
    }

    private static func period(_ rates: ShardRates) -> Double { min(rates.repairDays, ShardRates.daysPerYear) }

    /// The probability that more than `tolerated` of `count` things fail, of which each is expected to fail `expected`
    /// times.
    static func moreThan(_ tolerated: Int, of count: Int, expected: Double) -> LossProbability {
        guard expected > 0 else { return .none }
        guard expected < .infinity else { return .certain }
        // The logarithm of 1 − p is −expected, without an error of rounding.
        let (failing, working) = (Logarithms.complement(-expected), -expected)
        var (choices, total) = (0.0, -Double.infinity)
        for failures in 0...count {
            if failures > 0 { choices += log(Double(count - failures + 1)) - log(Double(failures)) }
            guard failures > tolerated else { continue }
            total = Logarithms.sum(total, choices + Double(failures) * failing + Double(count - failures) * working)
        }
        return LossProbability(logarithm: total)
    }
}
