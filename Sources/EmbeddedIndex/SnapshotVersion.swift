import Metadata
import Synchronization

/// The commit at which a snapshot began, passed from its thread to its opener.
final class SnapshotVersion: Sendable {
    private let state = Mutex<CommitVersion>(0)

    var value: CommitVersion { state.withLock { $0 } }

    func set(_ version: CommitVersion) { state.withLock { $0 = version } }
}
