import Glibc

/// The probability of a loss within a year, or within a shorter period. It is kept by its logarithm, since what is
/// wanted is often less than what a floating-point number can hold.
package struct LossProbability: Hashable, Sendable, Comparable {
    /// The natural logarithm: 0 for what is certain, −∞ for what cannot be.
    package let logarithm: Double

    package init(logarithm: Double) {
        self.logarithm = min(0, logarithm)
    }

    package static let none = LossProbability(logarithm: -.infinity)
    package static let certain = LossProbability(logarithm: 0)

    /// 0…1; 0 also for what is too small for a number.
    package var value: Double { exp(logarithm) }

    /// How many nines the probability of no loss begins with, and the fraction of the next one: 11 where one loss is
    /// expected in 10¹¹ years. Infinite where nothing can be lost.
    package var nines: Double { max(0, -logarithm / Logarithms.ofTen) }

    /// The probability of at least one loss in so many tries, which may be a broken number.
    func atLeastOnce(in tries: Double) -> LossProbability {
        // Below this, 1 − (1 − p)ⁿ is np to the last digit.
        let expected = logarithm + log(tries)
        guard expected > -40 else { return LossProbability(logarithm: expected) }
        return LossProbability(logarithm: Logarithms.complement(tries * log1p(-value)))
    }

    package static func < (left: LossProbability, right: LossProbability) -> Bool { left.logarithm < right.logarithm }
}

/// Sums and differences of numbers that are given, and wanted, by their natural logarithms.
enum Logarithms {
    static let ofTen = log(10.0)

    /// log(eᵃ + eᵇ).
    static func sum(_ left: Double, _ right: Double) -> Double {
        let (less, more) = (min(left, right), max(left, right))
        guard less > -.infinity, more < .infinity else { return more }
        return more + log1p(exp(less - more))
    }

    /// log(1 − eᵃ) for a ≤ 0, without losing the digits of what is small.
    static func complement(_ logarithm: Double) -> Double {
        logarithm > -0.5 ? log(-expm1(logarithm)) : log1p(-exp(logarithm))
    }
}
