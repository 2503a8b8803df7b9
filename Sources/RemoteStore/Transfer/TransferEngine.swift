package import Primitives

/// Moves requests and answers of one backend over libcurl, on a thread of its own: nothing that blocks, resolving and
/// TLS included, is on Swift's pool. Connections are kept and used again.
package final class TransferEngine: Sendable {
    private let queue: TransferQueue

    /// - Returns: Nil where the system has no thread, descriptor or memory left.
    package init?(_ settings: TransferSettings, environment: any Environment) {
        guard let queue = TransferQueue() else { return nil }
        self.queue = queue
        let isStarted = SystemThread.start("remote") {
            guard let loop = TransferLoop(queue, settings, environment) else {
                // What waits, and what comes, ends at once.
                queue.push(.close)
                for case .start(let transfer) in queue.take() { transfer.end(.failure(.closed)) }
                return
            }
            loop.run()
        }
        guard isStarted else { return nil }
    }

    deinit {
        close()
    }

    /// Begins a transfer. Its owner ends it: by reading the answer to its end, or by `cancel` or `abandon`.
    ///
    /// - Parameter isShielded: Whether the task's cancellation leaves it alone, as what cleans up after one.
    package func start(_ request: TransferRequest, isShielded: Bool = false) -> Transfer {
        let transfer = Transfer(request, isShielded: isShielded, queue: queue, engine: self)
        queue.push(.start(transfer))
        return transfer
    }

    /// Ends every transfer, and the thread. What is started later ends at once.
    package func close() {
        queue.push(.close)
    }
}
