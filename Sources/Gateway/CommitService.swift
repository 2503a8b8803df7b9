package import Audit
package import Metadata
package import Primitives
import S3Model
import Synchronization

/// Commits on behalf of one writer epoch.
///
/// Every commit is conditional on the epoch being live, so that a gateway which was declared lost changes nothing any
/// more; and it carries the audit record of what it does, so that there is none without the other.
package final class CommitService: Sendable {
    package let epoch: UInt32
    private let index: any MetadataIndex
    private let counters: Mutex<Counters>
    private let journalled: @Sendable () -> CommitVersion
    private let onCommit: @Sendable () -> Void

    private struct Counters {
        var transaction: UInt64 = 0
        var blob: UInt64 = 0
        var outbox: UInt64 = 0
        /// The last commit that is known to have been made.
        var known: CommitVersion
    }

    /// - Parameters:
    ///   - begun: a commit from before this epoch's first, such as the one that drew it.
    ///   - journalled: the last commit that the index's journal has, where there is one.
    ///   - onCommit: called after each commit that put a record into the outbox.
    package init(
        index: any MetadataIndex, epoch: UInt32, begun: CommitVersion = 0,
        journalled: @escaping @Sendable () -> CommitVersion = { 0 }, onCommit: @escaping @Sendable () -> Void
    ) {
        (self.index, self.epoch, self.journalled, self.onCommit) = (index, epoch, journalled, onCommit)
        counters = Mutex(Counters(known: begun))
    }

    /// The latest commit that this process knows of: whatever it commits from now on comes after it.
    package var latest: CommitVersion { max(counters.withLock { $0.known }, journalled()) }

    /// A name for a blob, never drawn before.
    package func blobName(random: UInt64) -> BlobName {
        let counter = counters.withLock { counters in
            counters.blob += 1
            return counters.blob
        }
        return BlobName(epoch: epoch, counter: counter, random: UInt32(truncatingIfNeeded: random))
    }

    /// Applies changes together with the audit records of what they do.
    ///
    /// - Throws: `conflict` where the state that the changes were computed from is no more, with the position among
    ///   their conditions; `notCommitted` also where the epoch has ended, since no other try would succeed; `unknown`
    ///   only where the index cannot tell even afterwards.
    package func commit(_ changes: Changes, records: [AuditRecord]) async throws(MetadataError) -> CommitVersion {
        let (transaction, count) = transaction(changes, records)
        let version: CommitVersion
        do {
            version = try await index.commit(transaction)
        } catch .conflict(condition: 0) {
            throw .notCommitted("the writer epoch \(epoch) has ended; another process has taken over")
        } catch .conflict(let position) {
            throw .conflict(condition: position - 1)
        } catch .unknown(let reason) {
            #if PLANTED_BUGS
                if PlantedBug.unknownIsFailed.isPlanted { throw .notCommitted(reason) }
            #endif
            guard let found = try await resolved(transaction.id) else { throw .notCommitted(reason) }
            version = found
        }
        counters.withLock { $0.known = max($0.known, version) }
        if count > 0 { onCommit() }
        return version
    }

    private func transaction(_ changes: Changes, _ records: [AuditRecord]) -> (Transaction, Int) {
        let (id, first) = counters.withLock { counters in
            counters.transaction += 1
            defer { counters.outbox += UInt64(records.count) }
            return (TransactionID(epoch: epoch, counter: counters.transaction), counters.outbox)
        }
        // The epoch comes first, so that a conflict tells it from all the others.
        var transaction = Transaction(
            id: id, conditions: [.present(Keys.epoch(epoch))] + changes.conditions, mutations: changes.mutations)
        for (offset, record) in records.enumerated() {
            let key = Keys.outbox(epoch: epoch, counter: first + UInt64(offset))
            let row = OutboxRecord(eventID: record.eventID, canonicalJSON: record.canonicalJSON)
            transaction.mutations.append(.put(key, row.encoded))
        }
        return (transaction, records.count)
    }

    /// An unknown outcome is asked for, and never taken for a failure: what refers to blobs may have been committed.
    private func resolved(_ id: TransactionID) async throws(MetadataError) -> CommitVersion? {
        do {
            return try await index.outcome(of: id)
        } catch {
            throw .unknown("the outcome could not be asked for: \(error)")
        }
    }
}
