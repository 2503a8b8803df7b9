import Glibc

/// The loss of a blob as a Markov chain: its state is how many of its shards are missing; more than m of them lose it.
///
/// Shards are lost and repaired at rates that do not change, independently of one another. Beside them whole failure
/// domains may be lost, as an event of its own that takes several shards at once. The mean time to data loss is solved
/// exactly: by an elimination in which nothing is subtracted (Grassmann, Taksar and Heyman, "Regenerative analysis and
/// steady state distributions for Markov chains", 1985), on logarithms, so that nothing overflows either.
package struct MarkovModel: Hashable, Sendable {
    /// How many missing shards of a blob are repaired at a time.
    package enum Repair: Hashable, Sendable, CaseIterable {
        /// One after the other.
        case serial
        /// All of them at once, none of them slower for that.
        case parallel
    }

    /// The loss of a whole failure domain with everything in it.
    package struct DomainLoss: Hashable, Sendable {
        /// The most shards of a blob that one domain holds, at least 1.
        package var shards: Int
        /// Losses that are expected of one domain in a year.
        package var lossesPerYear: Double

        package init(shards: Int, lossesPerYear: Double) {
            (self.shards, self.lossesPerYear) = (max(1, shards), max(0, lossesPerYear))
        }
    }

    package let redundancy: Redundancy
    package let rates: ShardRates
    package let repair: Repair
    package let domain: DomainLoss?

    package init(_ redundancy: Redundancy, _ rates: ShardRates, repair: Repair, domain: DomainLoss? = nil) {
        (self.redundancy, self.rates, self.repair, self.domain) = (redundancy, rates, repair, domain)
    }

    /// The natural logarithm of the mean time to data loss, in years, of a blob that has all of its shards.
    var logarithmOfYears: Double { logarithmsOfYears[0] }

    /// How many years it takes on average until a blob is lost that has all of its shards; infinite where that is
    /// never, or longer than a number can tell.
    package var yearsToLoss: Double { exp(logarithmOfYears) }

    /// The probability that a blob which has all of its shards is lost within a year: 1 − exp(−1 / mean time to data
    /// loss).
    ///
    /// The time to loss of such a chain is a sum of independent exponential times (Keilson, "Markov Chain Models",
    /// 1979) where shards are lost singly, so that its hazard grows from 0: where the mean time is longer than a year,
    /// the true probability of the first year is below this one.
    package var perYear: LossProbability { Self.withinAYear(logarithmOfYears) }

    private static func withinAYear(_ logarithmOfYears: Double) -> LossProbability {
        // Below this, 1 − exp(−x) is x to the last digit; and x is above what a number can hold at the other end.
        guard logarithmOfYears < 40 else { return LossProbability(logarithm: -logarithmOfYears) }
        guard logarithmOfYears > -40 else { return .certain }
        return LossProbability(logarithm: Logarithms.complement(-exp(-logarithmOfYears)))
    }

    /// The probability that a blob is lost, of which so many shards are missing, before it has all of them again or,
    /// from then on, within a year.
    ///
    /// Domains are left out of the time until the repair: that is short.
    package func perYear(missing: Int) -> LossProbability {
        guard missing > 0 else { return perYear }
        guard missing <= redundancy.parityShards else { return .certain }
        // Of a chain that goes up and down by one: with ρ₀ = 1 and ρⱼ = ρⱼ₋₁ · (rate down / rate up), the chance to
        // come to m + 1 before 0 from i is the sum of ρ₀…ρᵢ₋₁ over the sum of ρ₀…ρₘ.
        var (ratio, below, all) = (0.0, -Double.infinity, -Double.infinity)
        for state in 0...redundancy.parityShards {
            if state > 0 { ratio += repairRate(state) - lossRate(state) }
            guard ratio < .infinity else { return perYear }
            all = Logarithms.sum(all, ratio)
            if state < missing { below = Logarithms.sum(below, ratio) }
        }
        return LossProbability(logarithm: Logarithms.sum(below - all, perYear.logarithm))
    }

    // MARK: The chain

    /// The logarithm of the rate at which one more shard is lost.
    private func lossRate(_ missing: Int) -> Double {
        log(Double(redundancy.shards - missing) * rates.lossesPerYear)
    }

    /// The logarithm of the rate at which one of the missing shards is restored.
    private func repairRate(_ missing: Int) -> Double {
        log(repair == .serial ? 1 : Double(missing)) + log(rates.repairsPerYear)
    }

    /// The logarithms of the rates out of a state towards more missing shards: element j − 1 for j shards more, the
    /// last one for the loss of the blob.
    private func upwards(_ missing: Int) -> [Double] {
        let room = redundancy.parityShards - missing
        var rates = [Double](repeating: -.infinity, count: room + 1)
        rates[0] = lossRate(missing)
        guard let domain, domain.lossesPerYear > 0 else { return rates }
        // The domains that still hold shards of it, as many as there may be.
        let left = redundancy.shards - missing
        let domains = (left + domain.shards - 1) / domain.shards
        let step = min(domain.shards, left, room + 1) - 1
        rates[step] = Logarithms.sum(rates[step], log(Double(domains) * domain.lossesPerYear))
        return rates
    }

    /// The logarithms of the mean times to data loss, by how many shards are missing; the first one alone where none
    /// stay missing.
    private var logarithmsOfYears: [Double] {
        guard rates.lossesPerYear > 0 || (domain?.lossesPerYear ?? 0) > 0 else {
            return [.infinity]
        }
        guard rates.repairDays > 0 else {
            // The chain is never anywhere but at its bottom.
            return [-upwards(0)[redundancy.parityShards]]
        }
        var (states, before): ([(up: [Double], time: Double)], (up: [Double], time: Double)?) = ([], nil)
        // From the bottom, each state is taken out of the chain: what goes down to it comes up again from there.
        for missing in 0...redundancy.parityShards {
            var state = (up: upwards(missing), time: 0.0)
            if let before {
                let back = repairRate(missing) - before.up.reduce(-.infinity, Logarithms.sum)
                state.time = Logarithms.sum(state.time, back + before.time)
                // What would come up into this very state is a return, which takes time and changes nothing.
                for (step, rate) in before.up.dropFirst().enumerated() {
                    state.up[step] = Logarithms.sum(state.up[step], back + rate)
                }
            }
            states.append(state)
            before = state
        }
        var times: [Double] = []
        for (missing, state) in states.enumerated().reversed() {
            var sum = state.time
            for step in 0..<(redundancy.parityShards - missing) {
                sum = Logarithms.sum(sum, state.up[step] + times[times.count - 1 - step])
            }
            times.append(sum - state.up.reduce(-.infinity, Logarithms.sum))
        }
        return times.reversed()
    }
}
