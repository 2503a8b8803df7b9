package import Metadata

/// How far the backup is, for metrics and logs.
package struct IndexBackupStatus: Sendable, Hashable {
    /// The last commit that enough stores have in their journal.
    package var journalledThrough: CommitVersion
    /// The commit of the last snapshot that this process took.
    package var lastSnapshot: CommitVersion?
    /// How many seconds ago the journal had every commit of the index; 0 where it had them all when that was looked at
    /// last, however long ago the last commit was.
    package var secondsBehind: Double
    /// Passes that failed since the start.
    package var failures: Int
    package var lastFailure: IndexBackupError?
}

extension IndexBackupError: Hashable {
    package func hash(into hasher: inout Hasher) {
        hasher.combine(description)
    }
}
