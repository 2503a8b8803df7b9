import Logging
import Primitives
import Synchronization
import Workers

/// Empties the stores that are drained, as long as there are any.
final class Emptying: Sendable {
    /// Between looks for stores that are to be emptied, and between passes while something could not be moved.
    private static let period = Duration.seconds(1)
    private static let patience = Duration.seconds(15)

    private let found = Mutex<Int?>(nil)
    private let isWanted = Atomic<Bool>(false)

    /// Blobs that had a shard on such a store when that was looked at last; nil before the first look.
    var left: Int? { found.withLock { $0 } }

    /// Has stores looked at again that were found empty: an upload that began before they were drained may have become
    /// known since.
    func lookAgain() {
        isWanted.store(true, ordering: .releasing)
    }

    /// Works until it is cancelled or another process has taken over.
    func run(_ deployment: Deployment, _ repair: RepairService) async {
        // What a pass found nothing of.
        var emptied: Set<Int> = []
        while !Task.isCancelled {
            var pause = Self.period
            if isWanted.exchange(false, ordering: .acquiringAndReleasing) { emptied = [] }
            let draining = deployment.keeper.draining
            if draining.isEmpty {
                found.withLock { $0 = nil }
            } else if draining != emptied {
                do throws(WorkerError) {
                    let left = try await pass(deployment, repair)
                    emptied = left == 0 ? draining : []
                    if left > 0 { pause = Self.patience }
                } catch .fenced, .cancelled {
                    return
                } catch {
                    deployment.logger.error("a store could not be emptied", metadata: ["reason": "\(error)"])
                    pause = Self.patience
                }
            }
            do throws(CancellationError) { try await deployment.environment.sleep(for: pause) } catch { return }
        }
    }

    /// - Returns: Blobs that could not be moved.
    private func pass(_ deployment: Deployment, _ repair: RepairService) async throws(WorkerError) -> Int {
        let leaving = try await repair.countToMove()
        found.withLock { $0 = leaving }
        let report = try await repair.relocationPass(
            progress: { done in self.found.withLock { $0 = max(0, leaving - done.moved) } })
        found.withLock { $0 = report.left }
        deployment.logger.notice(
            report.left == 0 ? "nothing lies on the stores that are drained" : "not everything could be moved yet",
            metadata: ["moved": .count(report.moved), "left": .count(report.left)])
        return report.left
    }
}
