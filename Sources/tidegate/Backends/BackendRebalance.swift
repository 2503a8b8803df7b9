import Metadata
import Primitives

/// What is told of how shards are moved to where the list of stores has them.
struct RebalanceView: Codable, Sendable {
    /// `wanted` from the command on until every shard lies where it should, `none` otherwise.
    var state: String
    /// When it was asked for.
    var began: String?
    /// Blobs that are to move still; nil where no gateway has counted them.
    var toMove: Int?
    /// Blobs that this process has moved.
    var moved: Int?
    /// Of those that are to move, the ones that could not be moved when it was tried last.
    var left: Int?
}

extension BackendDesk {
    func rebalancing() async throws(BackendError) -> RebalanceView {
        guard let entry = try await entry(Keys.rebalance) else { return RebalanceView(state: "none") }
        var view = RebalanceView(state: "wanted")
        do throws(RecordError) {
            view.began = try RebalanceRecord(encoded: entry.value).began.iso8601
        } catch {
            throw BackendError(.unavailable, "The index: \(error)")
        }
        if let progress = live?.rebalancing.progress {
            (view.toMove, view.moved, view.left) = (progress.toMove, progress.moved, progress.left)
        }
        return view
    }

    /// Has shards moved to where the current list of stores has them. Returns at once; the gateway works on it, also
    /// after a restart.
    func rebalance(_ recording: Recording) async throws(BackendError) -> RebalanceView {
        try await alone { () throws(BackendError) in
            // Also where it was asked for before: the row is another one then, so that a pass that is ending by an
            // earlier list does not take the wish along.
            let known = try await entry(Keys.rebalance)
            let isAsKnown = known.map { Condition.version($0.key, $0.version) } ?? .absent(Keys.rebalance)
            let record = RebalanceRecord(began: launch.environment.now())
            try await commit(
                [isAsKnown], [.put(Keys.rebalance, record.encoded)],
                [recording("StartRebalance", [:])])
            live?.rebalancing.want(true)
            return try await rebalancing()
        }
    }

    /// Leaves everything where it is by now.
    func stopRebalance(_ recording: Recording) async throws(BackendError) -> RebalanceView {
        try await alone { () throws(BackendError) in
            if let entry = try await entry(Keys.rebalance) {
                try await commit(
                    [.version(Keys.rebalance, entry.version)], [.remove(Keys.rebalance)],
                    [recording("StopRebalance", [:])])
            }
            live?.rebalancing.want(false)
            return try await rebalancing()
        }
    }
}
