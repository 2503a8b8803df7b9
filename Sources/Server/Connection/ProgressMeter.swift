/// Tells a peer that sends slowly from one that is not being read: only time spent waiting for the peer counts.
package struct ProgressMeter: Sendable {
    private let interval: UInt64
    private let minimum: Int
    /// Nanoseconds waited in this interval, the wait that is under way excluded.
    private var waited: UInt64 = 0
    private var bytes = 0
    private var waitingSince: UInt64?

    /// - Parameters:
    ///   - interval: In nanoseconds.
    ///   - minimum: The least bytes that must come in an interval of waiting.
    package init(interval: UInt64, minimum: Int) {
        (self.interval, self.minimum) = (interval, minimum)
    }

    /// From now on the peer is waited for. Without effect where it already is.
    package mutating func startWaiting(_ now: UInt64) {
        if waitingSince == nil { waitingSince = now }
    }

    /// Bytes came; the wait, if there was one, is over.
    package mutating func received(_ count: Int, _ now: UInt64) {
        bytes += count
        if let waitingSince { waited += now - min(waitingSince, now) }
        waitingSince = nil
        if waited >= interval, bytes >= minimum { (waited, bytes) = (0, 0) }
    }

    /// When `isStalled` is to be asked next, or nil while nobody waits.
    package var deadline: UInt64? {
        waitingSince.map { $0 + (interval - min(waited, interval)) }
    }

    /// Whether a whole interval of waiting has brought less than the minimum. Begins the next interval where it has
    /// not.
    package mutating func isStalled(_ now: UInt64) -> Bool {
        guard let since = waitingSince, now >= since, waited + (now - since) >= interval else { return false }
        guard bytes >= minimum else { return true }
        (waited, bytes, waitingSince) = (0, 0, now)
        return false
    }
}
