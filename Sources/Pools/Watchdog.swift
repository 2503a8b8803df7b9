import Primitives
import Storage
import Synchronization

/// Something that waits for stores, and wants to be looked at now and then.
protocol Watched: AnyObject, Sendable {
    /// Gives up what made no progress for too long.
    func check(now: UInt64)
}

/// One timer for all operations of a pool, since a timer for each would cost more than a small read.
///
/// It ticks only while something is watched.
final class Watchdog: Sendable {
    private struct State {
        var watched: [UInt64: any Watched] = [:]
        var last: UInt64 = 0
        var isTicking = false
    }

    private let state = Mutex(State())
    private let environment: any Environment
    private let launcher: TaskLauncher
    private let period: Duration

    init(environment: any Environment, launcher: TaskLauncher, period: Duration) {
        (self.environment, self.launcher, self.period) = (environment, launcher, period)
    }

    /// Begins to watch; the number returned ends it.
    func watch(_ watched: any Watched) -> UInt64 {
        let (number, starts) = state.withLock { state in
            state.last += 1
            state.watched[state.last] = watched
            defer { state.isTicking = true }
            return (state.last, !state.isTicking)
        }
        if starts { _ = launcher { [weak self] in await self?.tick() } }
        return number
    }

    func unwatch(_ number: UInt64) {
        state.withLock { $0.watched[number] = nil }
    }

    private func tick() async {
        while true {
            let before = environment.monotonicNanoseconds()
            do throws(CancellationError) {
                try await environment.sleep(for: period)
            } catch {
                // Nobody cancels this task but a runtime that is being torn down.
                state.withLock { $0.isTicking = false }
                return
            }
            let watched = state.withLock { state in
                state.isTicking = !state.watched.isEmpty
                return Array(state.watched.values)
            }
            if watched.isEmpty { return }
            let now = environment.monotonicNanoseconds()
            // Where this process itself got no time, stores cannot be blamed: they are looked at next time.
            if now - min(now, before) > 2 * period.nanoseconds + 20_000_000 { continue }
            for each in watched { each.check(now: now) }
        }
    }
}
