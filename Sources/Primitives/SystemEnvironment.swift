#if canImport(Glibc)
    internal import Glibc
#endif

/// The machine's own clocks and generator of random numbers. The tidy test allows them in this file alone.
package struct SystemEnvironment: Environment {
    package init() {}

    package func now() -> Timestamp {
        let time = Self.read(CLOCK_REALTIME)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    package func monotonicNanoseconds() -> UInt64 {
        let time = Self.read(CLOCK_BOOTTIME)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    package func sleep(for duration: Duration) async throws(CancellationError) {
        do {
            try await Task.sleep(for: duration)
        } catch {
            throw CancellationError()
        }
    }

    package func random() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    private static func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        // Safe: the pointer is to a local value and is not kept; the call cannot fail for these two clocks.
        unsafe clock_gettime(clock, &time)
        return time
    }
}
