import Metadata
import Synchronization

/// Threads that run until their work ends, and a way to wait for the end of all.
final class ThreadGroup: Sendable {
    private struct State: Sendable {
        var running = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Starts a thread, and returns once its body has called what it is given.
    ///
    /// - Parameter body: what the thread runs. It throws only before it calls its argument, and calls it once.
    /// - Throws: `notCommitted` with what the body threw, or where the system has no thread left.
    func start(
        _ name: String, _ body: @escaping @Sendable (_ started: () -> Void) throws(SQLiteError) -> Void
    ) async throws(MetadataError) {
        state.withLock { $0.running += 1 }
        try await withCheckedContinuation { (reply: Reply<Void>) in
            let isRunning = SystemThread.start(name) {
                do throws(SQLiteError) {
                    try body { reply.resume(returning: .success(())) }
                    self.end()
                } catch {
                    self.end()
                    reply.resume(returning: .failure(.notCommitted(error.description)))
                }
            }
            if !isRunning {
                self.end()
                reply.resume(returning: .failure(.notCommitted("the system has no thread left")))
            }
        }.get()
    }

    /// Returns once no thread runs.
    func waitUntilEmpty() async {
        await withCheckedContinuation { waiter in
            let isEmpty = state.withLock { state in
                if state.running > 0 { state.waiters.append(waiter) }
                return state.running == 0
            }
            if isEmpty { waiter.resume() }
        }
    }

    private func end() {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.running -= 1
            guard state.running == 0 else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
