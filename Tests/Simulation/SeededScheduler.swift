import Synchronization
import TidegateTesting

/// Runs every task of a simulation on the calling thread, one step at a time, in an order that a seed decides.
///
/// A task belongs to a lane. When a lane dies, as a process does, none of its tasks takes another step: so a process
/// can end between any two awaits.
package final class SeededScheduler: Sendable {
    /// Where the tasks of one process, or of whatever is beside them, run.
    package final class Lane: TaskExecutor, Sendable {
        private struct State {
            var isDead = false
            var last = 0
            /// What to say to those who wait for the lane, by their numbers.
            var waiting: [Int: @Sendable () -> Void] = [:]
        }

        fileprivate let scheduler: SeededScheduler
        private let state = Mutex(State())

        fileprivate init(_ scheduler: SeededScheduler) {
            self.scheduler = scheduler
        }

        package var isDead: Bool { state.withLock { $0.isDead } }

        package func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            // Nobody runs what a dead process had left to do.
            guard !isDead else { return }
            scheduler.enqueue(job, self)
        }

        /// Ends everything that runs here; whoever waits in `run` learns it.
        package func die() {
            let waiting = state.withLock { state in
                state.isDead = true
                defer { state.waiting = [:] }
                return state.waiting.sorted { $0.key < $1.key }.map(\.value)
            }
            scheduler.forget(self)
            for tell in waiting { tell() }
        }

        /// Starts a task here.
        package func start(_ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
            Task(executorPreference: self) { await work() }
        }

        /// Does something here on behalf of another lane; nil where this one died first.
        package func run<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) async -> Value? {
            await withCheckedContinuation { (continuation: CheckedContinuation<Value?, Never>) in
                let number: Int? = state.withLock { state in
                    guard !state.isDead else { return nil }
                    state.last += 1
                    state.waiting[state.last] = { continuation.resume(returning: nil) }
                    return state.last
                }
                guard let number else { return continuation.resume(returning: nil) }
                _ = start {
                    let value = await work()
                    let isWaiting = self.state.withLock { $0.waiting.removeValue(forKey: number) != nil }
                    if isWaiting { continuation.resume(returning: value) }
                }
            }
        }
    }

    private enum Step {
        case job(UnownedJob, Lane)
        case resumption(CheckedContinuation<Void, Never>)
    }

    private struct State {
        var steps: [Step] = []
        var generator: SeededGenerator
        var taken = 0
    }

    private let state: Mutex<State>

    package init(seed: UInt64) {
        state = Mutex(State(generator: SeededGenerator(seed: seed)))
    }

    /// Steps so far: the simulation's finest clock.
    package var taken: Int { state.withLock { $0.taken } }

    package func lane() -> Lane { Lane(self) }

    /// Lets others go first.
    package func pause() async {
        await withCheckedContinuation { continuation in state.withLock { $0.steps.append(.resumption(continuation)) } }
    }

    /// Takes one step of one task.
    ///
    /// - Returns: False where no task can go on.
    package func step() -> Bool {
        let step: Step? = state.withLock { state in
            guard !state.steps.isEmpty else { return nil }
            state.taken += 1
            state.steps.swapAt(state.steps.count - 1, Int.random(in: 0..<state.steps.count, using: &state.generator))
            return state.steps.removeLast()
        }
        switch step {
        case .job(let job, let lane): unsafe job.runSynchronously(on: lane.asUnownedTaskExecutor())
        case .resumption(let continuation): continuation.resume()
        case nil: return false
        }
        return true
    }

    private func enqueue(_ job: UnownedJob, _ lane: Lane) {
        state.withLock { $0.steps.append(.job(job, lane)) }
    }

    private func forget(_ lane: Lane) {
        state.withLock { state in
            state.steps.removeAll { step in if case .job(_, let its) = step { its === lane } else { false } }
        }
    }
}
