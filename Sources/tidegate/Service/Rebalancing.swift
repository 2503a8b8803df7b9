import Logging
import Metadata
import Pools
import Primitives
import Synchronization
import Workers

/// Moves shards to where the current list of stores has them, as long as the index says that this is wanted.
final class Rebalancing: Sendable {
    /// How far it is.
    struct Progress: Sendable {
        /// Blobs that were to move when that was counted last.
        var toMove: Int
        var moved = 0
        /// Blobs of which something could not be moved when it was tried last.
        var left = 0
    }

    private struct State {
        /// Nil where the index is to be asked.
        var isWanted: Bool?
        var progress: Progress?
    }

    /// Between looks for whether it is wanted, and between passes while something could not be moved.
    private static let period = Duration.seconds(1)
    private static let patience = Duration.seconds(15)

    private let state = Mutex(State())

    /// Nil where nothing is under way, or nothing is counted yet.
    var progress: Progress? { state.withLock { $0.progress } }

    /// Begins, or ends before the next blobs.
    func want(_ isWanted: Bool) {
        state.withLock { state in
            state.isWanted = isWanted
            if !isWanted { state.progress = nil }
        }
    }

    private var isWanted: Bool { state.withLock { $0.isWanted == true } }

    /// Works until it is cancelled or another process has taken over. Stores that are to be emptied come first.
    func run(_ deployment: Deployment, _ repair: RepairService) async {
        while !Task.isCancelled {
            var pause = Self.period
            do throws(WorkerError) {
                try await ask(deployment)
                if isWanted, deployment.emptying.left ?? 0 == 0, try await !isDone(deployment, repair) {
                    pause = Self.patience
                }
            } catch .fenced, .cancelled {
                return
            } catch {
                deployment.logger.error("shards could not be rebalanced", metadata: ["reason": "\(error)"])
                pause = Self.patience
            }
            do throws(CancellationError) { try await deployment.environment.sleep(for: pause) } catch { return }
        }
    }

    /// Asks the index where nobody has said whether it is wanted: after a start, and after each end.
    private func ask(_ deployment: Deployment) async throws(WorkerError) {
        guard state.withLock({ $0.isWanted }) == nil else { return }
        let row = try await wish(deployment)
        state.withLock { $0.isWanted = $0.isWanted ?? (row != nil) }
    }

    /// What the index has of it.
    private func wish(_ deployment: Deployment) async throws(WorkerError) -> Entry? {
        do throws(MetadataError) {
            return try await deployment.index.values(of: [Keys.rebalance])[0]
        } catch {
            throw .index(error)
        }
    }

    /// Passes over the blobs until one finds nothing to move any more.
    ///
    /// - Returns: False where something could not be moved.
    private func isDone(_ deployment: Deployment, _ repair: RepairService) async throws(WorkerError) -> Bool {
        while isWanted {
            let wish = try await wish(deployment)
            let toMove = try await repair.countToMove(.toCurrentPlacement)
            let before = progress?.moved ?? 0
            note(Progress(toMove: toMove, moved: before))
            guard toMove > 0 else { return try await finish(deployment, wish, moved: before) }
            let report = try await repair.relocationPass(
                .toCurrentPlacement, while: { self.isWanted },
                progress: { done in
                    self.note(
                        Progress(toMove: max(0, toMove - done.moved), moved: before + done.moved, left: done.left))
                })
            guard isWanted else { return true }
            if report.left > 0 { return false }
        }
        return true
    }

    private func note(_ progress: Progress) {
        state.withLock { state in
            if state.isWanted == true { state.progress = progress }
        }
    }

    private func finish(
        _ deployment: Deployment, _ wish: Entry?, moved: Int
    ) async throws(WorkerError) -> Bool {
        if let wish {
            do throws(WorkerError) {
                _ = try await deployment.commits.commit(
                    [.version(wish.key, wish.version)], [.remove(wish.key)])
            } catch .index(.conflict) {
                return true  // It was asked for again: the next look begins anew.
            }
        }
        // Who asks for it right now finds that the index is asked again.
        state.withLock { $0 = State() }
        deployment.logger.notice(
            "every shard lies where the list of stores has it", metadata: ["moved": .count(moved)])
        return true
    }
}
