import Synchronization

/// Which reads are under way, so that nothing is deleted that one of them may still want.
///
/// A reader takes a token before it looks into the index and gives it back after the last byte. Whoever unlinks
/// something from the index takes a mark after that commit; once every token taken before the mark is back, no reader
/// knows of it any more.
package final class ReadHorizon: Sendable {
    /// A read that has begun.
    package struct Token: Sendable, Hashable {
        fileprivate let number: UInt64
    }

    /// A point between reads.
    package struct Mark: Sendable, Hashable {
        fileprivate let next: UInt64
    }

    private struct Waiter {
        var mark: Mark
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var next: UInt64 = 0
        var open: Set<UInt64> = []
        /// No open token is below this; it moves lazily, so that a read costs two operations on a set.
        var oldest: UInt64 = 0
        var waiters: [UInt64: Waiter] = [:]
        var lastWaiter: UInt64 = 0

        mutating func hasPassed(_ mark: Mark) -> Bool {
            advance()
            return oldest >= mark.next
        }

        private mutating func advance() {
            while oldest < next, !open.contains(oldest) { oldest += 1 }
        }

        mutating func takePassed() -> [CheckedContinuation<Bool, Never>] {
            guard !waiters.isEmpty else { return [] }
            advance()
            let passed = waiters.filter { $0.value.mark.next <= oldest }
            for number in passed.keys { waiters[number] = nil }
            return passed.values.map(\.continuation)
        }
    }

    private let state = Mutex(State())

    package init() {}

    /// A read begins: to be called before the index is asked. Each token is given back by `end`, whatever happens.
    package func begin() -> Token {
        state.withLock { state in
            defer { state.next += 1 }
            state.open.insert(state.next)
            return Token(number: state.next)
        }
    }

    /// A read has ended.
    package func end(_ token: Token) {
        let passed = state.withLock { state in
            state.open.remove(token.number)
            return state.takePassed()
        }
        for continuation in passed { continuation.resume(returning: true) }
    }

    /// A mark after every read that has begun so far.
    package func mark() -> Mark {
        state.withLock { Mark(next: $0.next) }
    }

    /// Whether every read that began before a mark has ended.
    package func hasPassed(_ mark: Mark) -> Bool {
        state.withLock { $0.hasPassed(mark) }
    }

    /// Returns once every read that began before a mark has ended.
    package func passed(_ mark: Mark) async throws(CancellationError) {
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        let hasPassed = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
                let answer: Bool? = state.withLock { state in
                    if state.hasPassed(mark) { return true }
                    // A cancellation that came before the waiter stood here found nobody to wake.
                    if Task.isCancelled { return false }
                    state.waiters[number] = Waiter(mark: mark, continuation: continuation)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.continuation.resume(returning: false)
        }
        guard hasPassed else { throw CancellationError() }
    }

    /// How many reads are under way.
    package var openReads: Int { state.withLock { $0.open.count } }
}
