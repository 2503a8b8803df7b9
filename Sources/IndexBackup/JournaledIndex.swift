package import Metadata

/// An index whose commits return only once the stores have them too: the `sync` way of keeping the backup.
package final class JournaledIndex: MetadataIndex {
    private let index: any MetadataIndex
    private let backup: IndexBackup

    package init(_ index: any MetadataIndex, backup: IndexBackup) {
        (self.index, self.backup) = (index, backup)
    }

    package func values(of keys: [Key]) async throws(MetadataError) -> [Entry?] { try await index.values(of: keys) }

    package func pages(of scans: [Scan]) async throws(MetadataError) -> [Page] { try await index.pages(of: scans) }

    /// - Throws: also `unknown` where the commit was applied but too few stores took it: it may be lost with the
    ///   index's disk.
    package func commit(_ transaction: Transaction) async throws(MetadataError) -> CommitVersion {
        let version = try await index.commit(transaction)
        do throws(IndexBackupError) {
            try await backup.journal(through: version)
        } catch {
            throw .unknown(error.description)
        }
        return version
    }

    /// - Throws: also `unknown` where the commit was applied but is not in the journal of enough stores: it is not
    ///   to be acknowledged.
    package func outcome(of transaction: TransactionID) async throws(MetadataError) -> CommitVersion? {
        guard let version = try await index.outcome(of: transaction) else { return nil }
        do throws(IndexBackupError) {
            try await backup.journal(through: version)
        } catch {
            throw .unknown(error.description)
        }
        return version
    }

    package func changes(after: CommitVersion, limit: Int) async throws(MetadataError) -> [Change] {
        try await index.changes(after: after, limit: limit)
    }
}
