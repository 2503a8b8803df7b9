import Primitives
import Storage
import Synchronization

/// Waits for one call of a store, but not longer than the deadline: a store that hangs is left to itself.
final class StoreCallResult<Value: Sendable>: Watched {
    private struct State {
        var result: Result<Value, StorageError>?
        var waiter: CheckedContinuation<Void, Never>?
        var task: Task<Void, Never>?
        var progress: UInt64
    }

    private let state: Mutex<State>
    private let deadline: UInt64

    init(now: UInt64, deadline: UInt64) {
        state = Mutex(State(progress: now))
        self.deadline = deadline
    }

    func began(_ task: Task<Void, Never>) {
        state.withLock { if $0.result == nil { $0.task = task } }
    }

    /// Notes that the call goes forward, so that a long one is not taken for a hanging one.
    func touch(now: UInt64) {
        state.withLock { $0.progress = now }
    }

    func finish(_ result: Result<Value, StorageError>) {
        let waiter = state.withLock { state in
            if state.result == nil { state.result = result }
            state.task = nil
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    func check(now: UInt64) {
        let (task, isLate) = state.withLock { state in
            (state.task, state.result == nil && now > state.progress && now - state.progress > deadline)
        }
        guard isLate else { return }
        task?.cancel()
        finish(.failure(.unavailable("no answer within the deadline")))
    }

    func value() async -> Result<Value, StorageError> {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let waits = state.withLock { state in
                guard state.result == nil else { return false }
                state.waiter = continuation
                return true
            }
            if !waits { continuation.resume() }
        }
        return state.withLock { $0.result } ?? .failure(.unavailable("no answer"))
    }
}

/// The calls of several stores, all begun at once, each with a deadline.
struct StoreCalls<Value: Sendable> {
    private let pool: ErasurePool
    private var calls: [(store: Int, result: StoreCallResult<Value>, watch: UInt64)] = []

    init(_ pool: ErasurePool) {
        self.pool = pool
    }

    /// Begins a call. `work` may touch its result to say that it goes forward.
    mutating func begin(
        _ store: Int,
        _ work: @escaping @Sendable (any BlobStore, StoreCallResult<Value>) async throws(StorageError) -> Value
    ) {
        let result = StoreCallResult<Value>(
            now: pool.environment.monotonicNanoseconds(), deadline: pool.configuration.shardDeadline.nanoseconds)
        let base = pool.members.stores[store]
        result.began(
            pool.launcher {
                do throws(StorageError) {
                    result.finish(.success(try await work(base, result)))
                } catch {
                    result.finish(.failure(error))
                }
            })
        calls.append((store, result, pool.watchdog.watch(result)))
    }

    /// The results, in the order in which the calls were begun.
    consuming func results() async -> [(store: Int, result: Result<Value, StorageError>)] {
        var results: [(store: Int, result: Result<Value, StorageError>)] = []
        for call in calls {
            let result = await call.result.value()
            pool.watchdog.unwatch(call.watch)
            switch result {
            case .success: pool.note(call.store, nil)
            case .failure(let error): pool.note(call.store, error)
            }
            results.append((call.store, result))
        }
        return results
    }
}

extension ErasurePool {
    /// One call of one store, with a deadline.
    func call<Value: Sendable>(
        _ store: Int,
        _ work: @escaping @Sendable (any BlobStore, StoreCallResult<Value>) async throws(StorageError) -> Value
    ) async throws(StorageError) -> Value {
        var calls = StoreCalls<Value>(self)
        calls.begin(store, work)
        for (_, result) in await calls.results() { return try result.get() }
        throw .unavailable("no call was made")
    }
}
