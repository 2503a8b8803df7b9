/// The limits and times of a configuration, as a connection uses them.
package struct ConnectionSettings: Sendable {
    package let limits: ServerLimits
    /// In nanoseconds, as `ServerTimeouts` names them.
    package let idle: UInt64
    package let head: UInt64
    package let progress: UInt64
    package let progressBytes: Int
    package let handshake: UInt64
    package let linger: UInt64

    package init(limits: ServerLimits, timeouts: ServerTimeouts) {
        self.limits = limits
        idle = Self.nanoseconds(timeouts.idle)
        head = Self.nanoseconds(timeouts.head)
        progress = Self.nanoseconds(timeouts.progress)
        progressBytes = timeouts.progressBytes
        handshake = Self.nanoseconds(timeouts.handshake)
        linger = Self.nanoseconds(timeouts.linger)
    }

    /// The shortest of the times: a timer that fires this often at least misses none of them.
    package var shortest: UInt64 { min(idle, head, progress, handshake, linger) }

    /// At least a millisecond, at most some hundred years.
    private static func nanoseconds(_ duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = duration.components
        let bounded = min(max(seconds, 0), 3_000_000_000)
        return max(UInt64(bounded) * 1_000_000_000 + UInt64(max(attoseconds, 0) / 1_000_000_000), 1_000_000)
    }
}
