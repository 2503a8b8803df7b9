import Synchronization

/// Runs asynchronous code that never waits, on the thread that asks.
///
/// - Throws: What the code throws; `BrokenProperty` where it did wait.
func immediately<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) throws -> Value {
    let box = ResultBox<Value>()
    Task.immediate {
        do {
            box.set(.success(try await work()))
        } catch {
            box.set(.failure(error))
        }
    }
    return try require(box.result, "the code waited although all bytes were there").get()
}

/// Where a result stands once there is one.
private final class ResultBox<Value: Sendable>: Sendable {
    private let storage = Mutex<Result<Value, any Error>?>(nil)

    var result: Result<Value, any Error>? { storage.withLock { $0 } }

    func set(_ result: Result<Value, any Error>) {
        storage.withLock { $0 = result }
    }
}
