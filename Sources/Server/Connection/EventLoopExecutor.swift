import NIOCore

/// Runs tasks on an event loop.
///
/// A request without a body belongs on the loop of its connection: it computes little, and each change of threads would
/// cost more than that. What computes long or carries a body goes on in the runtime's own pool.
final class EventLoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // Safe: the job is run once, and the executor lives at least as long as this closure, which holds it.
        loop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
