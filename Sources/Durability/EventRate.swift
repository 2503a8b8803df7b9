import Glibc

/// How often something happens, by what was seen of it: so many events in so much time under watch.
///
/// Events are taken to be those of a Poisson process. Where few were seen, or none, the rate itself says little; its
/// upper bound tells what it may still be.
package struct EventRate: Hashable, Sendable {
    package let events: Int
    /// Time under watch, summed over everything that was watched.
    package let years: Double

    package init(events: Int, years: Double) {
        (self.events, self.years) = (max(0, events), max(0, years))
    }

    /// Events in a year as they were seen; nil where nothing was watched yet.
    package var perYear: Double? { years > 0 ? Double(events) / years : nil }

    /// How sure an upper bound is.
    package static let confidence = 0.95

    /// The rate that is exceeded with a probability of no more than 1 − confidence (one-sided; Garwood, "Fiducial
    /// limits for the Poisson distribution", 1936): half the quantile of χ² with 2 · (events + 1) degrees of freedom.
    ///
    /// - Returns: Nil where nothing was watched yet.
    package var upperBound: Double? { years > 0 ? Self.mostExpected(events) / years : nil }

    /// The rate that it stays below with a probability of no more than 1 − confidence: 0 where no event was seen.
    package var lowerBound: Double? { years > 0 ? Self.fewestExpected(events) / years : nil }

    /// Events from which on the quantile is an approximation.
    private static let manyEvents = 1000

    /// The mean of a Poisson distribution by which no more than so many events happen with the probability
    /// 1 − confidence.
    static func mostExpected(_ events: Int) -> Double {
        guard events < manyEvents else { return approximated(events) }
        return mean(where: events, have: 1 - confidence)
    }

    /// The mean by which no fewer than so many events happen with the probability 1 − confidence.
    static func fewestExpected(_ events: Int) -> Double {
        guard events > 0 else { return 0 }
        // A normal distribution would have 1.645 deviations there.
        guard events < manyEvents else { return Double(events) - 1.75 * Double(events).squareRoot() }
        return mean(where: events - 1, have: confidence)
    }

    /// The mean by which no more than so many events happen with a probability.
    private static func mean(where events: Int, have probability: Double) -> Double {
        let wanted = log(probability)
        var (less, more) = (0.0, 1.0)
        while atMost(events, mean: more) > wanted { more *= 2 }
        // A bisection: each step gives one more binary digit.
        for _ in 0..<60 {
            let middle = (less + more) / 2
            if atMost(events, mean: middle) > wanted { less = middle } else { more = middle }
        }
        return more
    }

    /// The same by the approximation of Wilson and Hilferty ("The distribution of chi-square", 1931), which errs by
    /// less than a millionth there.
    static func approximated(_ events: Int) -> Double {
        let half = Double(events + 1)
        let spread = 1 / (9 * half)
        // The quantile of the normal distribution for a confidence of 0.95.
        return half * pow(1 - spread + 1.6448536269514722 * spread.squareRoot(), 3)
    }

    /// The logarithm of the probability of no more than so many events.
    private static func atMost(_ events: Int, mean: Double) -> Double {
        var (term, sum) = (0.0, 0.0)
        for event in 0..<events {
            term += log(mean) - log(Double(event + 1))
            sum = Logarithms.sum(sum, term)
        }
        return sum - mean
    }
}
