package import Audit
import Metadata
package import Primitives
import Synchronization

/// Moves audit records from the outbox into the log, in the order of their keys.
///
/// A row leaves the outbox only after the log has said that its record is durable. A crash between the two makes the
/// log meet the record twice, and drop the second one by its id. The commit that removes rows notes how far the log
/// goes, so that a log which is lost as a whole is missed.
package final class OutboxDrainer: Sendable {
    /// How a drainer waits.
    package struct Settings: Sendable {
        /// Rows that gather for so long share one sync of the log and one commit; they are durable in the index
        /// meanwhile.
        package var gather: Duration = .milliseconds(20)
        package var firstRetry: Duration = .milliseconds(100)
        package var longestRetry: Duration = .seconds(30)

        package init() {}
    }

    private struct State {
        /// When the first wake came that no finished drain answered.
        var waitingSince: UInt64?
        var isDraining = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let commits: WorkerCommits
    private let own: Set<UInt32>
    private let audit: any AuditSink
    private let environment: any Environment
    private let region: String
    private let node: String
    private let settings: Settings
    private let report: @Sendable (WorkerEvent) -> Void
    private let signal = WakeSignal()
    private let state = Mutex(State())

    /// - Parameters:
    ///   - session: Whose rows are drained, besides those of ended epochs.
    ///   - region: The region that records of the drainer itself name.
    ///   - node: Whose log it is.
    package init(
        commits: WorkerCommits, session: WriterSession, audit: any AuditSink, environment: any Environment,
        region: String, node: String, settings: Settings = Settings(),
        report: @escaping @Sendable (WorkerEvent) -> Void = { _ in }
    ) {
        (self.commits, self.audit, self.environment) = (commits, audit, environment)
        (self.region, self.node, self.settings, self.report) = (region, node, settings, report)
        own = [session.gateway, session.workers]
    }

    /// Says that there may be rows: to be called after each commit that put some.
    package func wake() {
        let now = environment.monotonicNanoseconds()
        state.withLock { $0.waitingSince = $0.waitingSince ?? now }
        signal.signal()
    }

    /// Drains until it is cancelled or another process has taken over.
    package func run() async {
        var backoff = Backoff(first: settings.firstRetry, most: settings.longestRetry)
        while !Task.isCancelled {
            do {
                try await drain(backoff: &backoff)
            } catch {
                return  // Cancelled, or fenced, which was reported.
            }
        }
    }

    private func drain(backoff: inout Backoff) async throws(CancellationError) {
        do throws(WorkerError) {
            let records = try await drainAll()
            if records > 0 { report(.drained(records: records)) }
            backoff.reset()
        } catch .fenced {
            report(.failed(.outbox, .fenced, retry: nil))
            throw CancellationError()
        } catch .cancelled {
            throw CancellationError()
        } catch {
            let pause = backoff.take()
            report(.failed(.outbox, error, retry: pause))
            try await environment.sleep(for: pause)
            return
        }
        try await signal.wait()
        try await environment.sleep(for: settings.gather)
    }

    /// Drains everything that is there when it is called: at shutdown, after the last request.
    ///
    /// - Returns: How many records went into the log.
    /// - Throws: `audit` where the log takes none, `index` where the outbox cannot be read or rows not be removed;
    ///   what is not in the log for certain is then still in the outbox.
    @discardableResult
    package func drainAll() async throws(WorkerError) -> Int {
        let began = environment.monotonicNanoseconds()
        var records = 0
        while true {
            let drained = try await drainPass()
            records += drained
            if drained == 0 { break }
        }
        state.withLock { state in
            // A wake that came meanwhile may be about rows that this drain did not see.
            if let since = state.waitingSince, since < began { state.waitingSince = nil }
        }
        return records
    }

    /// Drains one batch.
    ///
    /// - Returns: How many rows were removed; 0 where there was none.
    package func drainPass() async throws(WorkerError) -> Int {
        await enter()
        defer { leave() }
        let rows = try await nextRows()
        guard !rows.isEmpty else { return 0 }
        var mutations: [Mutation] = rows.map { .remove($0.key) }
        #if PLANTED_BUGS
            if PlantedBug.outboxBeforeLog.isPlanted {
                _ = try await commits.commit([], mutations)
                try await append(rows)
                return rows.count
            }
        #endif
        try await append(rows)
        if let head = audit.head { mutations.append(.put(Keys.auditMark(node: node), Array(head.description.utf8))) }
        _ = try await commits.commit([], mutations)
        return rows.count
    }

    /// How much is waiting, for a metric.
    package func lag() async throws(WorkerError) -> OutboxLag {
        let now = environment.monotonicNanoseconds()
        let since = state.withLock { $0.waitingSince }
        let (rows, isWhole) = try await commits.index.entries(
            in: Keys.outbox, limit: OutboxLag.mostCounted, wantsValues: false)
        let age = rows.isEmpty ? 0 : since.map { now > $0 ? now - $0 : 0 } ?? 0
        return OutboxLag(rows: rows.count, isExact: isWhole, age: .nanoseconds(Int64(clamping: age)))
    }

    // MARK: One drain at a time, so that the order is kept

    private func enter() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isFree = state.withLock { state in
                guard state.isDraining else {
                    state.isDraining = true
                    return true
                }
                state.waiters.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    private func leave() {
        let next: CheckedContinuation<Void, Never>? = state.withLock { state in
            guard !state.waiters.isEmpty else {
                state.isDraining = false
                return nil
            }
            return state.waiters.removeFirst()
        }
        next?.resume()
    }

    // MARK: Rows

    /// The first rows of the outbox that are this process's to drain: not those of others that still write.
    private func nextRows() async throws(WorkerError) -> [Entry] {
        let foreign = try await commits.index.liveEpochs().subtracting(own)
        var rows: [Entry] = []
        var start: Key? = Keys.outbox.lowerBound.key
        while let from = start, rows.count < AuditBatch.maximumCount {
            let scan = Scan(
                .keys(from: from, below: Keys.outbox.upperBound.key), limit: AuditBatch.maximumCount - rows.count)
            let page = try await commits.index.answered { index throws(MetadataError) in try await index.scan(scan) }
            start = page.next
            for row in page.entries {
                let epoch = UInt32(truncatingIfNeeded: Keys.number(row.key.dropFirst().prefix(4)))
                guard !foreign.contains(epoch) else {
                    start = successor(ofPrefix: Keys.outbox(epoch: epoch))
                    break
                }
                rows.append(row)
            }
            // A page of bounded bytes is a batch of bounded bytes.
            if !rows.isEmpty, page.next != nil { break }
        }
        return rows
    }

    private func append(_ rows: [Entry]) async throws(WorkerError) {
        let records = rows.map { row in Self.record(row) ?? standIn(row) }
        do throws(AuditError) {
            _ = try await audit.append(contentsOf: records)
        } catch .malformed, .tooLarge {
            try await appendSingly(rows, records)
        } catch {
            throw .audit(error)
        }
    }

    /// Finds the record that the log does not take, and says so in the log: it must not hold up those behind it for
    /// ever.
    private func appendSingly(_ rows: [Entry], _ records: [AuditRecord]) async throws(WorkerError) {
        for (row, record) in zip(rows, records) {
            do throws(AuditError) {
                do throws(AuditError) {
                    _ = try await audit.append(contentsOf: [record])
                } catch .malformed, .tooLarge {
                    _ = try await audit.append(contentsOf: [standIn(row)])
                }
            } catch {
                throw .audit(error)
            }
        }
    }

    private static func record(_ row: Entry) -> AuditRecord? {
        do throws(RecordError) {
            let record = try OutboxRecord(encoded: row.value)
            return AuditRecord(eventID: record.eventID, canonicalJSON: record.canonicalJSON)
        } catch {
            return nil  // The caller writes a record about it.
        }
    }

    /// A record of a row that holds none, the same each time but for its time.
    private func standIn(_ row: Entry) -> AuditRecord {
        report(.unreadableOutboxRow(row.key))
        let key = Hex.encode(row.key)
        return AuditRecord(
            .system(
                "UnreadableOutboxRow", id: "outbox-\(key)", at: environment.now(), region: region,
                parameters: [
                    "row": key, "bytes": String(row.value.count), "content": Hex.encode(Array(row.value.prefix(512))),
                ]))
    }
}

/// How far the log is behind the index.
package struct OutboxLag: Sendable, Hashable {
    /// No more rows than these are counted.
    package static let mostCounted = 10_000

    package var rows: Int
    /// Whether these are all.
    package var isExact: Bool
    /// How long the oldest of them may have waited, as far as this process knows.
    package var age: Duration
}
