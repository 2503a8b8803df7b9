package import Audit
package import Metadata
import Synchronization

/// Commits of the workers, on behalf of their own writer epoch.
///
/// The workers have an epoch apart from the gateway's, so that neither draws ids of transactions or outbox rows of
/// the other.
package final class WorkerCommits: Sendable {
    package let epoch: UInt32
    package let index: any MetadataIndex
    /// The last commit that a recovery of the index would bring back.
    ///
    /// What the index gives up must not go before: an index that comes back without that commit would name bytes which
    /// are gone.
    let journalledThrough: @Sendable () -> CommitVersion
    private let counters: Counters
    private let onRecords: @Sendable () -> Void

    /// What no two commits of an epoch may share, whichever way they take.
    private final class Counters: Sendable {
        let next = Mutex((transaction: UInt64(0), outbox: UInt64(0)))
    }

    /// Commits to an index that has no journal.
    ///
    /// - Parameter onRecords: Called after each commit that put a record into the outbox.
    package init(index: any MetadataIndex, epoch: UInt32, onRecords: @escaping @Sendable () -> Void = {}) {
        (self.index, self.epoch, self.onRecords) = (index, epoch, onRecords)
        counters = Counters()
        journalledThrough = { .max }
    }

    /// Commits of the same epoch to the same index, now that it has a journal.
    ///
    /// - Parameters:
    ///   - index: The way to the index, such as one that waits for the journal.
    ///   - journalledThrough: The last commit that the journal has.
    package init(
        _ other: WorkerCommits, through index: any MetadataIndex,
        journalledThrough: @escaping @Sendable () -> CommitVersion
    ) {
        (self.index, epoch, onRecords, counters) = (index, other.epoch, other.onRecords, other.counters)
        self.journalledThrough = journalledThrough
    }

    /// Applies mutations, with the audit records of what they do, on conditions and on the epoch's being live.
    ///
    /// - Throws: `fenced`; `index`, with `unknown` only where the index cannot tell even afterwards.
    package func commit(
        _ conditions: [Condition], _ mutations: [Mutation], records: [AuditRecord] = []
    ) async throws(WorkerError) -> CommitVersion {
        let (id, first) = counters.next.withLock { counters in
            counters.transaction += 1
            defer { counters.outbox += UInt64(records.count) }
            return (TransactionID(epoch: epoch, counter: counters.transaction), counters.outbox)
        }
        var transaction = Transaction(
            id: id, conditions: [.present(Keys.epoch(epoch))] + conditions, mutations: mutations)
        for (offset, record) in records.enumerated() {
            let row = OutboxRecord(eventID: record.eventID, canonicalJSON: record.canonicalJSON)
            transaction.mutations.append(
                .put(Keys.outbox(epoch: epoch, counter: first + UInt64(offset)), row.encoded))
        }
        let version = try await index.resolvedCommit(transaction)
        if !records.isEmpty { onRecords() }
        return version
    }
}

extension MetadataIndex {
    /// Commits, and asks where the outcome is unknown. The first condition is the one on the writer's epoch.
    func resolvedCommit(_ transaction: Transaction) async throws(WorkerError) -> CommitVersion {
        do throws(MetadataError) {
            return try await commit(transaction)
        } catch .conflict(condition: 0) {
            throw .fenced
        } catch .conflict(let position) {
            throw .index(.conflict(condition: position - 1))
        } catch .unknown(let reason) {
            guard
                let version = try await answered({ index throws(MetadataError) in
                    try await index.outcome(of: transaction.id)
                })
            else { throw .index(.notCommitted(reason)) }
            return version
        } catch {
            throw .index(error)
        }
    }

    /// Asks the index, and translates its error.
    func answered<Value>(
        _ question: (Self) async throws(MetadataError) -> Value
    ) async throws(WorkerError) -> Value {
        do throws(MetadataError) {
            return try await question(self)
        } catch {
            throw .index(error)
        }
    }

    /// Every entry of a range, page by page, up to `limit` of them.
    func entries(
        in range: Range<KeyBound>, limit: Int, wantsValues: Bool = true
    ) async throws(WorkerError) -> (entries: [Entry], isWhole: Bool) {
        var (found, start): ([Entry], Key?) = ([], range.lowerBound.key)
        while let from = start, found.count < limit {
            let scan = Scan(
                .keys(from: from, below: range.upperBound.key), limit: limit - found.count, wantsValues: wantsValues)
            let page = try await answered { index throws(MetadataError) in try await index.scan(scan) }
            found += page.entries
            start = page.next
        }
        return (found, start == nil)
    }

    /// The epochs whose writers may still commit.
    func liveEpochs() async throws(WorkerError) -> Set<UInt32> {
        let (rows, isWhole) = try await entries(in: Keys.epochs, limit: EpochKeeper.mostEpochs, wantsValues: false)
        guard isWhole else { throw .refused("there are more than \(EpochKeeper.mostEpochs) writer epochs") }
        return Set(rows.map { UInt32(truncatingIfNeeded: Keys.number($0.key.dropFirst(2))) })
    }
}
