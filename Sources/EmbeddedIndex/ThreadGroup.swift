import CSQLite
import Synchronization

/// Threads that run until they are told to end, and a way to wait for the end of all.
final class ThreadGroup: Sendable {
    private struct State: Sendable {
        var isClosed = false
        var nextNumber = 0
        /// How each running thread is told to end.
        var running: [Int: @Sendable () -> Void] = [:]
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Starts a thread, and returns once its body has called what it is given.
    ///
    /// - Parameters:
    ///   - end: makes the body return soon; called at most once, by anyone.
    ///   - body: what the thread runs. It throws only before it calls its argument, and calls it once.
    /// - Throws: What the body threw; `SQLITE_MISUSE` where the group is closed, and `SQLITE_NOMEM` where the system
    ///   has no thread left.
    func start(
        _ name: String, end: @escaping @Sendable () -> Void,
        _ body: @escaping @Sendable (_ started: () -> Void) throws(SQLiteError) -> Void
    ) async throws(SQLiteError) {
        let number = state.withLock { state -> Int? in
            guard !state.isClosed else { return nil }
            state.nextNumber += 1
            state.running[state.nextNumber] = end
            return state.nextNumber
        }
        guard let number else { throw SQLiteError(code: SQLITE_MISUSE, message: "the index is closed") }
        try await withCheckedContinuation { (reply: CheckedContinuation<Result<Void, SQLiteError>, Never>) in
            let isRunning = SystemThread.start(name) {
                do throws(SQLiteError) {
                    try body { reply.resume(returning: .success(())) }
                    self.remove(number)
                } catch {
                    self.remove(number)
                    reply.resume(returning: .failure(error))
                }
            }
            if !isRunning {
                self.remove(number)
                let error = SQLiteError(code: SQLITE_NOMEM, message: "the system has no thread left")
                reply.resume(returning: .failure(error))
            }
        }.get()
    }

    /// Tells every thread to end, and starts no more.
    func close() {
        let ends = state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed ? [] : Array(state.running.values)
        }
        for end in ends { end() }
    }

    /// Returns once no thread runs.
    func waitUntilEmpty() async {
        await withCheckedContinuation { waiter in
            let isEmpty = state.withLock { state in
                if !state.running.isEmpty { state.waiters.append(waiter) }
                return state.running.isEmpty
            }
            if isEmpty { waiter.resume() }
        }
    }

    private func remove(_ number: Int) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.running[number] = nil
            guard state.running.isEmpty else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
