package import Primitives
import Synchronization

/// An environment whose time stands still until a test moves it, and whose chance a seed decides.
///
/// A sleeper wakes when `advance(by:)` passes its deadline; in the mode `skipping`, going to sleep itself moves the
/// time.
package final class SimulatedEnvironment: Environment {
    /// What a sleep does.
    package enum Sleeping: Sendable {
        /// Waits until `advance(by:)` has moved the time far enough.
        case waiting
        /// Moves the time to the end of the sleep and returns.
        case skipping
    }

    private let sleeping: Sleeping
    private let state: Mutex<State>

    /// - Parameters:
    ///   - seed: Decides every random number.
    ///   - start: The wall clock at first.
    package init(
        seed: UInt64 = 1, start: Timestamp = Timestamp(seconds: 1_700_000_000), sleeping: Sleeping = .waiting
    ) {
        self.sleeping = sleeping
        state = Mutex(State(wall: start, generator: SeededGenerator(seed: seed)))
    }

    package func now() -> Timestamp { state.withLock { $0.wall } }

    package func monotonicNanoseconds() -> UInt64 { state.withLock { $0.monotonic } }

    package func random() -> UInt64 { state.withLock { $0.generator.next() } }

    /// How many tasks sleep now.
    package var sleepers: Int { state.withLock { $0.sleepers.count } }

    /// Sets the wall clock alone, as an operator or NTP would: no sleeper wakes, the monotonic clock does not move.
    package func setWallClock(_ time: Timestamp) {
        state.withLock { $0.wall = time }
    }

    /// Moves both clocks on, and wakes the sleepers whose time has come, the earliest first.
    package func advance(by duration: Duration) {
        let due = state.withLock { $0.advance(by: duration.nanosecondsClamped) }
        for sleeper in due { sleeper.resume(returning: true) }
    }

    /// Moves both clocks on to when the next sleeper wakes.
    ///
    /// - Returns: False where nobody sleeps.
    package func advanceToNextSleeper() -> Bool {
        let due = state.withLock { state -> [CheckedContinuation<Bool, Never>]? in
            guard let next = state.sleepers.values.map(\.deadline).min() else { return nil }
            return state.advance(by: next > state.monotonic ? next - state.monotonic : 0)
        }
        for sleeper in due ?? [] { sleeper.resume(returning: true) }
        return due != nil
    }

    package func sleep(for duration: Duration) async throws(CancellationError) {
        guard !Task.isCancelled else { throw CancellationError() }
        switch sleeping {
        case .skipping:
            advance(by: duration)
            await Task.yield()
        case .waiting:
            let id = state.withLock { $0.newIdentifier() }
            let slept = await withTaskCancellationHandler {
                await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
                    let immediate = state.withLock { $0.register(continuation, id, duration.nanosecondsClamped) }
                    if let immediate { continuation.resume(returning: immediate) }
                }
            } onCancel: {
                state.withLock { $0.cancel(id) }?.resume(returning: false)
            }
            guard slept else { throw CancellationError() }
        }
    }

    /// The clocks, the generator and who sleeps; returns what is to be resumed outside the lock.
    private struct State {
        struct Sleeper {
            let deadline: UInt64
            let continuation: CheckedContinuation<Bool, Never>
        }

        var wall: Timestamp
        var monotonic: UInt64 = 0
        var generator: SeededGenerator
        var sleepers: [UInt64: Sleeper] = [:]
        /// Sleeps that have a number but are not registered yet, and whether they were cancelled already.
        private var announced: [UInt64: Bool] = [:]
        private var lastIdentifier: UInt64 = 0

        init(wall: Timestamp, generator: SeededGenerator) {
            (self.wall, self.generator) = (wall, generator)
        }

        mutating func newIdentifier() -> UInt64 {
            lastIdentifier += 1
            announced[lastIdentifier] = false
            return lastIdentifier
        }

        /// Whether the sleep is over at once: false where it was cancelled, true where it has no length, nil where it
        /// waits.
        mutating func register(
            _ continuation: CheckedContinuation<Bool, Never>, _ id: UInt64, _ nanoseconds: UInt64
        ) -> Bool? {
            if announced.removeValue(forKey: id) == true { return false }
            if nanoseconds == 0 { return true }
            let (deadline, overflow) = monotonic.addingReportingOverflow(nanoseconds)
            sleepers[id] = Sleeper(deadline: overflow ? .max : deadline, continuation: continuation)
            return nil
        }

        mutating func cancel(_ id: UInt64) -> CheckedContinuation<Bool, Never>? {
            if let sleeper = sleepers.removeValue(forKey: id) { return sleeper.continuation }
            if announced[id] != nil { announced[id] = true }
            return nil
        }

        mutating func advance(by nanoseconds: UInt64) -> [CheckedContinuation<Bool, Never>] {
            monotonic &+= nanoseconds
            wall = Timestamp(nanoseconds: wall.nanoseconds &+ Int64(clamping: nanoseconds))
            let due = sleepers.filter { $0.value.deadline <= monotonic }
                .sorted { ($0.value.deadline, $0.key) < ($1.value.deadline, $1.key) }
            for sleeper in due { sleepers[sleeper.key] = nil }
            return due.map(\.value.continuation)
        }
    }
}

extension Duration {
    /// Whole nanoseconds, 0 for a negative duration.
    fileprivate var nanosecondsClamped: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product &+ UInt64(attoseconds / 1_000_000_000)
    }
}
