package import NIOCore
import Synchronization

/// Computes the MD5s of several uploads side by side (the page EVP of Decisions says how much that gives).
///
/// Whatever comes while all workers compute is what the next of them takes, up to sixteen buffers at once. So a lone
/// upload waits for nobody, and the more there are, the less each costs.
package final class MD5Lanes: Sendable {
    /// Starts a task.
    package typealias Launch = @Sendable (@escaping @Sendable () async -> Void) -> Void

    private struct Job: Sendable {
        let piece: LaneMD5.Piece
        let done: CheckedContinuation<Void, Never>
    }

    private struct State: Sendable {
        var jobs = CircularBuffer<Job>()
        var workers = 0

        /// What a worker takes next; nil where nothing waits, and then it ends.
        mutating func take() -> [Job]? {
            guard !jobs.isEmpty else {
                workers -= 1
                return nil
            }
            var batch: [Job] = []
            while batch.count < LaneMD5.lanes, let job = jobs.popFirst() { batch.append(job) }
            return batch
        }
    }

    private let state = Mutex(State())
    private let workers: Int

    /// - Parameter workers: how many tasks compute at once at most.
    package init(workers: Int = System.coreCount) {
        self.workers = max(1, workers)
    }

    /// Appends bytes to a message, and returns once that is done. Only one call for a message is under way at a time.
    package func update(_ message: LaneMD5, _ bytes: ByteBuffer, launch: @escaping Launch) async {
        await withCheckedContinuation { done in
            let starts = state.withLock { state in
                state.jobs.append(Job(piece: LaneMD5.Piece(message: message, bytes: bytes), done: done))
                guard state.workers < workers else { return false }
                state.workers += 1
                return true
            }
            if starts { launch { self.work(launch) } }
        }
    }

    /// Takes what waits, once: then it lets other tasks have the thread.
    private func work(_ launch: @escaping Launch) {
        guard let batch = state.withLock({ $0.take() }) else { return }
        LaneMD5.update(batch.map(\.piece))
        for job in batch { job.done.resume() }
        launch { self.work(launch) }
    }
}
