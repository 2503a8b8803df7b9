/// The only way to learn the time, to wait, or to draw a random number.
///
/// Everything that decides takes one of these, so that a simulation can own time and chance (the page Decisions says
/// why).
package protocol Environment: Sendable {
    /// Wall-clock time: for records, signatures and policies, never for leases or graces.
    func now() -> Timestamp
    /// Nanoseconds of a clock that never goes back and ignores changes of the wall clock.
    func monotonicNanoseconds() -> UInt64
    /// Returns once the duration has passed.
    func sleep(for duration: Duration) async throws(CancellationError)
    /// 64 random bits, from a cryptographically secure generator in production.
    func random() -> UInt64
}

extension Environment {
    /// `count` random bytes.
    package func randomBytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 7)
        while bytes.count < count {
            let word = random()
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> (shift * 8))) }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
