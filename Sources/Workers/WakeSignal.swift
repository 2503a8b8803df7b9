import Primitives
import Synchronization

/// Wakes one worker: any number of signals while it works are one.
final class WakeSignal: Sendable {
    private struct State {
        var isPending = false
        var waiter: CheckedContinuation<Bool, Never>?

        mutating func take() -> CheckedContinuation<Bool, Never>? {
            defer { waiter = nil }
            return waiter
        }
    }

    private let state = Mutex(State())

    /// Wakes the worker, or keeps it from going to sleep the next time.
    func signal() {
        let waiter = state.withLock { state in
            guard let waiter = state.take() else {
                state.isPending = true
                return nil as CheckedContinuation<Bool, Never>?
            }
            return waiter
        }
        waiter?.resume(returning: true)
    }

    /// Returns at the next signal, or at once where one came since the last wait.
    func wait() async throws(CancellationError) {
        let isSignalled = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
                let answer: Bool? = state.withLock { state in
                    if state.isPending {
                        state.isPending = false
                        return true
                    }
                    // A cancellation that came before the waiter stood here found nobody to wake.
                    if Task.isCancelled { return false }
                    state.waiter = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.take() }?.resume(returning: false)
        }
        guard isSignalled else { throw CancellationError() }
    }

    /// As `wait`, but no longer than so.
    func wait(atMost duration: Duration, _ environment: any Environment) async throws(CancellationError) {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await self.wait()
                } catch {
                    // The time was over, or the worker is to end, which is asked below.
                }
            }
            group.addTask {
                do {
                    try await environment.sleep(for: duration)
                } catch {
                    // The signal came, or the worker is to end, which is asked below.
                }
            }
            await group.next()
            group.cancelAll()
        }
        if Task.isCancelled { throw CancellationError() }
    }
}

/// How long to wait after a failure: twice as long after each, up to a bound.
struct Backoff: Sendable {
    private let first: Duration
    private let most: Duration
    private var next: Duration

    init(first: Duration, most: Duration) {
        (self.first, self.most, self.next) = (first, most, first)
    }

    mutating func take() -> Duration {
        defer { next = min(next * 2, most) }
        return next
    }

    mutating func reset() {
        next = first
    }
}
