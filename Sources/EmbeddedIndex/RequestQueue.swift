import Synchronization

/// A bounded queue from tasks to threads: tasks put requests in without waiting, threads take out several at once.
final class RequestQueue<Request: Sendable>: Sendable {
    private struct State: Sendable {
        var requests: [Request] = []
        var sleepers = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let semaphore: SystemSemaphore
    private let limit: Int

    init(limit: Int, semaphore: SystemSemaphore) {
        (self.limit, self.semaphore) = (limit, semaphore)
    }

    /// Puts a request in; false where the queue is full or closed, and the request is then the caller's to answer.
    func push(_ request: Request) -> Bool {
        let (isTaken, wakes) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed, state.requests.count < limit else { return (false, false) }
            state.requests.append(request)
            guard state.sleepers > 0 else { return (true, false) }
            state.sleepers -= 1
            return (true, true)
        }
        if wakes { semaphore.signal() }
        return isTaken
    }

    /// Takes up to `count` requests, waiting for the first; nil once the queue is closed and empty.
    func take(_ count: Int) -> [Request]? {
        while true {
            let taken = state.withLock { state -> [Request]?? in
                if state.requests.isEmpty {
                    if state.isClosed { return .some(nil) }
                    state.sleepers += 1
                    return nil
                }
                let batch = Array(state.requests.prefix(count))
                state.requests.removeFirst(batch.count)
                return batch
            }
            if let taken { return taken }
            semaphore.wait()
        }
    }

    /// Takes no more requests; those inside are still served.
    func close() {
        let sleepers = state.withLock { state in
            state.isClosed = true
            defer { state.sleepers = 0 }
            return state.sleepers
        }
        for _ in 0..<sleepers { semaphore.signal() }
    }
}
