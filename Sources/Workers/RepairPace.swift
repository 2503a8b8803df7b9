import Primitives

/// How much repairs and moves write in a second: what was written is paid for with time before the next one begins.
struct RepairPace: Sendable {
    /// Nil for as much as the stores take.
    private let bytesPerSecond: Int64?
    /// When everything is paid for that was written so far, in nanoseconds of the monotonic clock.
    private var paid: UInt64 = 0

    init(bytesPerSecond: Int64?) {
        self.bytesPerSecond = bytesPerSecond
    }

    /// How long the next one has to wait.
    func pause(now: UInt64) -> Duration {
        paid > now ? .nanoseconds(Int64(clamping: paid - now)) : .zero
    }

    /// Notes what was written.
    mutating func wrote(_ bytes: Int64, now: UInt64) {
        guard let bytesPerSecond, bytesPerSecond > 0, bytes > 0 else { return }
        let (seconds, rest) = bytes.quotientAndRemainder(dividingBy: bytesPerSecond)
        let nanoseconds = Double(rest) / Double(bytesPerSecond) * 1e9
        // Not more than a day, whatever was written: it is a pace, and no ban.
        paid = max(paid, now) + UInt64(min(seconds, 86_400)) * 1_000_000_000 + UInt64(nanoseconds)
    }
}
