package import Metadata

/// How far the backup is, for metrics and logs.
package struct IndexBackupStatus: Sendable, Hashable {
    /// The last commit that enough stores have in their journal.
    package var journalledThrough: CommitVersion
    /// The commit of the last snapshot that this process took.
    package var lastSnapshot: CommitVersion?
    /// How long ago the journal had every commit: the lag is never more.
    package var secondsSinceCaughtUp: Double
    /// Passes that failed since the start.
    package var failures: Int
    package var lastFailure: IndexBackupError?
}

extension IndexBackupError: Hashable {
    package func hash(into hasher: inout Hasher) {
        hasher.combine(description)
    }
}
