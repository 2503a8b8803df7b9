package import Primitives
package import Storage
import Synchronization

/// How long the stores of a backup are waited for.
package struct StorePatience: Sendable {
    let environment: any Environment
    let launcher: TaskLauncher
    /// A store that has not taken a copy for so long is not waited for alone: another one is given the copy too.
    let hesitation: Duration
    /// A store that has not answered for so long has failed.
    let deadline: Duration

    package init(
        _ environment: any Environment, launcher: TaskLauncher = .concurrent, hesitation: Duration = .seconds(1),
        deadline: Duration = .seconds(10)
    ) {
        (self.environment, self.launcher) = (environment, launcher)
        (self.hesitation, self.deadline) = (hesitation, deadline)
    }
}

/// One store of the backup, none of whose calls is waited for without end.
///
/// A call that a store does not answer goes on by itself, so that the store is known to hang until it ends; a store has
/// a bounded number of them.
final class BackupStore: Sendable {
    /// Calls of a store that may be under way.
    private static let mostCalls = 8

    private let store: any BlobStore
    private let patience: StorePatience
    private let calls = Mutex(0)

    init(_ store: any BlobStore, _ patience: StorePatience) {
        (self.store, self.patience) = (store, patience)
    }

    /// Whether a call is under way, as one always is where the store hangs.
    var isBusy: Bool { calls.withLock { $0 > 0 } }

    /// Begins a call; nil where too many are under way.
    func begin<Value: Sendable>(
        _ work: @escaping @Sendable (any BlobStore) async throws(StorageError) -> Value
    ) -> BackupCall<Value>? {
        let mayBegin = calls.withLock { calls in
            guard calls < Self.mostCalls else { return false }
            calls += 1
            return true
        }
        guard mayBegin else { return nil }
        let call = BackupCall<Value>()
        _ = patience.launcher { [self] in
            var value: Value?
            do throws(StorageError) {
                value = try await work(store)
            } catch {
                // Another store is asked; what no store does is the caller's error.
            }
            calls.withLock { $0 -= 1 }
            call.end(value)
        }
        return call
    }

    /// What a call gives; nil where it fails or is not answered within the deadline.
    func call<Value: Sendable>(
        _ work: @escaping @Sendable (any BlobStore) async throws(StorageError) -> Value
    ) async -> Value? {
        guard let call = begin(work), case .answered(let value) = await call.outcome(patience.deadline, patience)
        else { return nil }
        return value
    }
}

/// A call of a store that is under way.
final class BackupCall<Value: Sendable>: Sendable {
    enum Outcome: Sendable {
        case answered(Value)
        case failed
        /// It has not ended yet.
        case late
    }

    private struct State {
        var outcome: Outcome?
        var waiter: CheckedContinuation<Outcome, Never>?
    }

    private let state = Mutex(State())

    func end(_ value: Value?) {
        let outcome: Outcome = value.map { .answered($0) } ?? .failed
        let waiter = state.withLock { state in
            state.outcome = outcome
            return state.waiter.take()
        }
        waiter?.resume(returning: outcome)
    }

    /// Waits for the end, but no longer than so.
    func outcome(_ duration: Duration, _ patience: StorePatience) async -> Outcome {
        await withTaskGroup(of: Outcome.self) { group in
            group.addTask { await self.outcome() }
            group.addTask {
                do {
                    try await patience.environment.sleep(for: duration)
                } catch {
                    // The call has ended, or nobody waits for it any more.
                }
                return .late
            }
            defer { group.cancelAll() }
            return await group.next() ?? .late
        }
    }

    /// Waits for the end; `late` where the task is cancelled first.
    private func outcome() async -> Outcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Outcome, Never>) in
                let outcome: Outcome? = state.withLock { state in
                    if let outcome = state.outcome { return outcome }
                    // A cancellation that came before the waiter stood here found nobody to wake.
                    if Task.isCancelled { return .late }
                    state.waiter = continuation
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            state.withLock { $0.waiter.take() }?.resume(returning: .late)
        }
    }
}
