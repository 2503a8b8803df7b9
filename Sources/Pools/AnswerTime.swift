/// How long a store takes from being asked for cells until the first one is there: a moving mean and mean deviation, as
/// RFC 6298, section 2, has them for round trips.
///
/// Times are nanoseconds of the monotonic clock.
struct AnswerTime: Sendable, Hashable {
    /// After so long in which nothing was heard of the store, nothing is known of it any more.
    static let forgottenAfter: UInt64 = 60_000_000_000
    /// A store that reads go round is tried again after so long at the soonest…
    static let triedAfter: UInt64 = 10_000_000_000
    /// …and by one read in so many at most.
    static let triedOnceIn = 16

    private(set) var mean: UInt64 = 0
    private(set) var deviation: UInt64 = 0
    /// When it answered, or was late, for the last time; nil where it never was asked.
    private var sampled: UInt64?
    /// When it was last seen that the mean may still be right.
    private var confirmed: UInt64 = 0
    private var tried: UInt64 = 0
    private var passes = 0

    init() {}

    /// Takes the time of an answer. What was known before counts for nothing where it is as old as that the store is
    /// tried again.
    mutating func answered(after time: UInt64, now: UInt64) {
        if let sampled, Self.span(sampled, now) <= Self.triedAfter {
            let error = mean > time ? mean - time : time - mean
            deviation = deviation - deviation / 4 + error / 4
            mean = mean - mean / 8 + time / 8
        } else {
            (mean, deviation) = (time, time / 2)
        }
        (sampled, confirmed, passes) = (now, now, 0)
    }

    /// Takes that an answer is late: who has let wait for so long is expected to need as long again.
    mutating func late(after wait: UInt64, now: UInt64) {
        answered(after: wait &+ wait, now: now)
    }

    /// Takes that an answer was not waited for any longer: all that this tells is that it takes longer.
    mutating func unheard(after wait: UInt64, now: UInt64) {
        guard sampled != nil else { return }
        if wait > mean { answered(after: wait, now: now) } else { confirmed = now }
    }

    /// Notes that a read goes round the store since it is slow.
    ///
    /// - Returns: Whether that read is to try it nevertheless, beside those that it needs.
    mutating func passedOver(now: UInt64) -> Bool {
        passes += 1
        guard passes >= Self.triedOnceIn, Self.span(max(tried, sampled ?? 0), now) >= Self.triedAfter else {
            return false
        }
        (tried, passes) = (now, 0)
        return true
    }

    /// How soon an answer is expected; nil where that is not known, or not any more.
    func expected(now: UInt64) -> UInt64? {
        guard sampled != nil, Self.span(confirmed, now) <= Self.forgottenAfter else { return nil }
        return mean
    }

    /// Within what an answer is expected mostly: half the mean deviation below and above the mean. 0 where nothing is
    /// known, so that the store is asked.
    func likely(now: UInt64) -> ClosedRange<UInt64> {
        guard let mean = expected(now: now) else { return 0...0 }
        return mean - min(mean, deviation / 2)...mean + deviation / 2
    }

    /// Longer than nearly every answer takes; nil where that is not known.
    func patience(now: UInt64) -> UInt64? {
        expected(now: now).map { $0 + max(2 * $0, 4 * deviation) }
    }

    private static func span(_ from: UInt64, _ to: UInt64) -> UInt64 { to > from ? to - from : 0 }
}
