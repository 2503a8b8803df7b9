package import Metadata
import Synchronization

/// An index of which nothing is told that the stores do not have too: the `sync` way of keeping the backup.
///
/// A commit returns once it is in the journal. It can be read in the index before; so whoever reads what it changed
/// waits for the journal as well, and sees nothing that the loss of the index's disk would undo.
package final class JournaledIndex: MetadataIndex {
    private let index: any MetadataIndex
    private let backup: IndexBackup
    private let unjournalled = Mutex(UnjournalledKeys())

    package init(_ index: any MetadataIndex, backup: IndexBackup) {
        (self.index, self.backup) = (index, backup)
    }

    /// - Throws: also `notCommitted` where too few stores took what was read.
    package func values(of keys: [Key]) async throws(MetadataError) -> [Entry?] {
        let entries = try await index.values(of: keys)
        // Looked at after the read: a commit is noted before it can be read.
        if unjournalled.withLock({ $0.mayLack(keys) }) { try await settle() }
        return entries
    }

    /// - Throws: also `notCommitted` where too few stores took what was read.
    package func pages(of scans: [Scan]) async throws(MetadataError) -> [Page] {
        let pages = try await index.pages(of: scans)
        if unjournalled.withLock({ $0.mayLack(in: scans.map(\.range)) }) { try await settle() }
        return pages
    }

    /// - Throws: also `unknown` where the commit was applied but too few stores took it: it may be lost with the
    ///   index's disk.
    package func commit(_ transaction: Transaction) async throws(MetadataError) -> CommitVersion {
        let ticket = unjournalled.withLock { $0.begin(transaction.mutations) }
        do throws(MetadataError) {
            let version = try await index.commit(transaction)
            try await journal(through: version)
            unjournalled.withLock { $0.end(ticket, .journalled) }
            return version
        } catch {
            let isSure = if case .unknown = error { false } else { true }
            unjournalled.withLock { $0.end(ticket, isSure ? .refused : .unsure) }
            // A conflict tells what others did.
            if case .conflict = error, mayLack(transaction.conditions) { try await settle() }
            throw error
        }
    }

    /// - Throws: also `unknown` where the commit was applied but is not in the journal of enough stores: it is not
    ///   to be acknowledged.
    package func outcome(of transaction: TransactionID) async throws(MetadataError) -> CommitVersion? {
        guard let version = try await index.outcome(of: transaction) else { return nil }
        try await journal(through: version)
        return version
    }

    package func changes(after: CommitVersion, limit: Int) async throws(MetadataError) -> [Change] {
        try await index.changes(after: after, limit: limit)
    }

    private func journal(through version: CommitVersion) async throws(MetadataError) {
        do throws(IndexBackupError) {
            try await backup.journal(through: version)
        } catch {
            throw .unknown(error.description)
        }
    }

    /// Returns once the journal has all that the index has now.
    private func settle() async throws(MetadataError) {
        let moment = unjournalled.withLock { $0.moment }
        do throws(IndexBackupError) {
            try await backup.flush()
        } catch {
            throw .notCommitted("what was read may be lost with the index's disk: \(error)")
        }
        unjournalled.withLock { $0.journalled(by: moment) }
    }

    private func mayLack(_ conditions: [Condition]) -> Bool {
        unjournalled.withLock { unjournalled in
            conditions.contains { condition in
                switch condition {
                case .absent(let key), .version(let key, _), .present(let key), .absentOrEmpty(let key):
                    unjournalled.mayLack([key])
                case .rangeEmpty(let range): unjournalled.mayLack(in: [range])
                }
            }
        }
    }
}
