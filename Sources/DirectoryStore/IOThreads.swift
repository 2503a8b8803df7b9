import NIOCore
package import Storage
import Synchronization

/// A few threads of their own for calls that block, with a bounded queue before them.
///
/// Nothing that waits for a disk runs on Swift's cooperative pool: there, as many blocked calls as cores would stop
/// every task of the process. Each store has its own threads, so that a disk that hangs holds up no other one.
package final class IOThreads: Sendable {
    private let queue: Queue

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - name: What the threads are called, in at most 15 bytes.
    ///   - queueLimit: How many jobs may wait; one more is refused.
    /// - Throws: `unavailable` where the system gives no thread.
    package init(count: Int, name: String, queueLimit: Int = 1 << 16) throws(StorageError) {
        do throws(SystemError) {
            queue = try Queue(limit: queueLimit)
            for _ in 0..<max(1, count) {
                try LinuxCalls.startThread(named: name) { [queue] in queue.serve() }
            }
        } catch {
            throw error.storageError
        }
    }

    /// The threads end once what was submitted is done.
    deinit {
        queue.stop()
    }

    /// Runs `work` on one of the threads and returns what it returns. One hop there, one back.
    ///
    /// - Throws: What `work` throws; `unavailable` where the queue is full.
    package func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws(StorageError) -> Value
    ) async throws(StorageError) -> Value {
        try await runCompleting { complete in
            do throws(StorageError) {
                complete(.success(try work()))
            } catch {
                complete(.failure(error))
            }
        }
    }

    /// Runs `work` on one of the threads and returns what it passes to `complete`, which it calls exactly once, then or
    /// later, on whatever thread.
    func runCompleting<Value: Sendable>(
        _ work: @escaping @Sendable (_ complete: @escaping @Sendable (Result<Value, StorageError>) -> Void) -> Void
    ) async throws(StorageError) -> Value {
        let result: Result<Value, StorageError> = await withCheckedContinuation { continuation in
            let isTaken = submit { work { continuation.resume(returning: $0) } }
            if !isTaken { continuation.resume(returning: .failure(.unavailable("too many calls wait for the disk"))) }
        }
        return try result.get()
    }

    /// Has `job` run on one of the threads. False where the queue is full; the job is dropped then.
    @discardableResult
    package func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        queue.push(job)
    }

    /// What the threads share; it outlives the `IOThreads` until the last thread has ended.
    private final class Queue: Sendable {
        private struct State {
            var jobs = CircularBuffer<@Sendable () -> Void>()
            var idleThreads: UInt32 = 0
            var isStopped = false
        }

        private let state = Mutex(State())
        private let bell: Int32
        private let limit: Int

        init(limit: Int) throws(SystemError) {
            self.limit = limit
            bell = try LinuxCalls.makeBell()
        }

        deinit {
            LinuxCalls.close(bell)
        }

        func push(_ job: @escaping @Sendable () -> Void) -> Bool {
            let (isTaken, wakes) = state.withLock { state in
                guard !state.isStopped, state.jobs.count < limit else { return (false, false) }
                state.jobs.append(job)
                guard state.idleThreads > 0 else { return (true, false) }
                state.idleThreads -= 1
                return (true, true)
            }
            if wakes { LinuxCalls.ring(bell) }
            return isTaken
        }

        func stop() {
            let idle = state.withLock { state in
                state.isStopped = true
                defer { state.idleThreads = 0 }
                return state.idleThreads
            }
            if idle > 0 { LinuxCalls.ring(bell, times: idle) }
        }

        /// The life of a thread: jobs until the queue is stopped and empty.
        func serve() {
            while true {
                let (job, ends): ((@Sendable () -> Void)?, Bool) = state.withLock { state in
                    if let job = state.jobs.popFirst() { return (job, false) }
                    if state.isStopped { return (nil, true) }
                    state.idleThreads += 1
                    return (nil, false)
                }
                if let job {
                    job()
                } else if ends {
                    return
                } else {
                    LinuxCalls.awaitRing(bell)
                }
            }
        }
    }
}
