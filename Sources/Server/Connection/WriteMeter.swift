/// Tells a peer that does not take what is sent to it from one to which nothing is sent.
struct WriteMeter: Sendable {
    private var written: Int64 = 0
    /// When what waits now was first looked at, and how much had been taken by then.
    private var windowStart: UInt64?
    private var takenAtStart: Int64 = 0

    /// Bytes were handed to the socket.
    mutating func wrote(_ count: Int) {
        written += Int64(count)
    }

    /// Whether bytes have waited for a whole interval (in nanoseconds) in which less than the minimum was taken.
    ///
    /// - Parameter waiting: The bytes that the socket has not taken yet.
    mutating func isStalled(waiting: Int, interval: UInt64, minimum: Int, _ now: UInt64) -> Bool {
        guard waiting > 0 else {
            windowStart = nil
            return false
        }
        let taken = written - Int64(waiting)
        guard let start = windowStart else {
            (windowStart, takenAtStart) = (now, taken)
            return false
        }
        guard now >= start, now - start >= interval else { return false }
        if taken - takenAtStart < Int64(minimum) { return true }
        (windowStart, takenAtStart) = (now, taken)
        return false
    }
}
