import Audit
import Metadata
package import Pools
package import Primitives
import Storage
import Synchronization

/// Repairs the blobs on the queue, the most endangered first.
///
/// A repair writes new shards, reads them back, and then commits the blob's new record together with the audit records
/// of what was wrong; only after that, and after the reads that began before, do the old shards go. A process that dies
/// in between leaves shards that no record names, which `OrphanCollector` finds.
package final class RepairService: Sendable {
    /// How a service goes on.
    package struct Settings: Sendable {
        /// Blobs that a pass repairs.
        package var batch = 64
        /// Blobs that are repaired, or moved, side by side.
        package var width = 8
        /// Bytes of shards that are written in a second; nil for as many as the stores take. What can lose no shard
        /// more does not wait for it.
        package var bytesPerSecond: Int64?
        /// The most urgent rows of the queue that are remembered from one look at all of it to the next, and how long
        /// they are.
        package var mostConsidered = 10_000
        package var consideredFor: Duration = .seconds(30)
        /// Between passes where there is nothing to do.
        package var period: Duration = .seconds(60)
        /// After a repair in vain; twice as long after each further one.
        package var firstRetry: Duration = .seconds(30)
        package var longestRetry: Duration = .seconds(3600)
        /// Repairs whose replaced shards wait for reads to end.
        package var mostReplaced = 1000

        package init() {}
    }

    let commits: WorkerCommits
    let pool: ErasurePool
    let queue: DamageQueue
    let environment: any Environment
    let settings: Settings
    let horizon: ReadHorizon
    let claims: BlobClaims
    let region: String
    let report: @Sendable (WorkerEvent) -> Void
    /// What is to be repaired next.
    private let order = Mutex(RepairOrder(limit: 0, read: 0))
    /// Of what is written.
    let pace: BytePace
    /// Repairs whose old shards wait for the journal to have their commit, and for the reads that began before.
    let replaced = Mutex<[Replaced]>([])

    struct Replaced: Sendable {
        var commit: CommitVersion
        var mark: ReadHorizon.Mark
        var report: RepairReport
    }

    /// - Parameters:
    ///   - queue: What the pool reports to.
    ///   - horizon: Where every read of this process takes a token before it looks into the index.
    ///   - claims: Shared with the collectors.
    ///   - region: The region that audit records name.
    package init(
        commits: WorkerCommits, pool: ErasurePool, queue: DamageQueue, horizon: ReadHorizon, claims: BlobClaims,
        environment: any Environment, region: String, settings: Settings = Settings(),
        report: @escaping @Sendable (WorkerEvent) -> Void = { _ in }
    ) {
        (self.commits, self.pool, self.queue, self.environment) = (commits, pool, queue, environment)
        (self.horizon, self.claims, self.region) = (horizon, claims, region)
        (self.settings, self.report) = (settings, report)
        pace = BytePace(bytesPerSecond: settings.bytesPerSecond, environment)
    }

    /// Repairs until it is cancelled or another process has taken over.
    package func run() async {
        var backoff = Backoff(first: .seconds(1), most: settings.period)
        while !Task.isCancelled {
            do {
                try await step(&backoff)
            } catch {
                return  // Cancelled, or fenced, which was reported.
            }
        }
    }

    private func step(_ backoff: inout Backoff) async throws(CancellationError) {
        do throws(WorkerError) {
            let dropped = queue.takeDropped()
            if dropped > 0 { report(.damageReportsDropped(dropped)) }
            try await queue.flush(commits)
            let tried = try await repairPass()
            backoff.reset()
            if tried > 0 { return }
            report(.repairsRest)
        } catch .fenced {
            report(.failed(.repair, .fenced, retry: nil))
            throw CancellationError()
        } catch .cancelled {
            throw CancellationError()
        } catch {
            let pause = backoff.take()
            report(.failed(.repair, error, retry: pause))
            try await environment.sleep(for: pause)
            return
        }
        try await queue.signal.wait(atMost: settings.period, environment)
    }

    /// Repairs the most endangered blobs of those that are due.
    ///
    /// - Returns: How many were tried; 0 where none is due.
    @discardableResult
    package func repairPass() async throws(WorkerError) -> Int {
        await removeReplaced()
        let due = try await mostEndangered()
        var rest = due[...]
        try await ParallelWork.run(width: settings.width, next: { () throws(WorkerError) in rest.popFirst() }) {
            (candidate) async throws(WorkerError) in
            if candidate.margin > 0 { try await self.pace.wait() }
            try await self.repairUnclaimed(candidate.name)
        } done: { _ in
        }
        return due.count
    }

    /// Repairs every blob once that has broken shards, also those that are put off: for whoever has mended what kept
    /// repairs from succeeding. Shards out of reach alone are waited for as always.
    package func repairWhatIsPutOff() async throws(WorkerError) {
        try await eachPage { rows throws(WorkerError) in
            var rest = rows.filter { $0.1.broken != 0 }[...]
            try await ParallelWork.run(width: settings.width, next: { () throws(WorkerError) in rest.popFirst()?.0 }) {
                (name) async throws(WorkerError) in
                try await self.repairUnclaimed(name)
            } done: { _ in
            }
        }
    }

    // MARK: The queue

    /// The blobs that can lose fewest shards more; of those alike, the ones reported first.
    private func mostEndangered() async throws(WorkerError) -> [RepairOrder.Candidate] {
        let now = environment.monotonicNanoseconds()
        let known = order.withLock { $0.take(settings.batch, now: now, atMost: settings.consideredFor) }
        if !known.isEmpty { return known }
        let whole = try await readOrder(now: now)
        return order.withLock { order in
            order = whole
            return order.take(settings.batch, now: now, atMost: settings.consideredFor)
        }
    }

    /// Whether a row's time has come. One further ahead than anything is ever put off was written by a clock that was
    /// ahead and has been set back since: that blob is not to wait for as long as the clock was wrong.
    private func isDue(_ record: DamagedRecord, at time: Timestamp) -> Bool {
        record.notBefore <= time || record.notBefore - time > max(settings.longestRetry, DamageQueue.usualPatience)
    }

    /// Looks at every row of the queue, and keeps the most urgent of those that are due.
    private func readOrder(now: UInt64) async throws(WorkerError) -> RepairOrder {
        var order = RepairOrder(limit: settings.mostConsidered, read: now)
        let time = environment.now()
        try await eachPage { rows throws(WorkerError) in
            let due = rows.filter { isDue($0.1, at: time) }
            let keys = due.map { Keys.blob($0.0) }
            let blobs = try await commits.index.answered { index throws(MetadataError) in
                try await index.values(of: keys)
            }
            for ((name, record), blob) in zip(due, blobs) {
                order.add(name, margin: Self.margin(record, blob), reported: record.reported)
            }
        }
        order.sort()
        return order
    }

    /// Hands on the rows of the queue, as many as a scan gives at once.
    private func eachPage(
        _ use: ([(BlobName, DamagedRecord)]) async throws(WorkerError) -> Void
    ) async throws(WorkerError) {
        var start: Key? = Keys.blobs("d").lowerBound.key
        while let from = start {
            guard !Task.isCancelled else { throw .cancelled }
            let scan = Scan(.keys(from: from, below: Keys.blobs("d").upperBound.key), limit: 1000)
            let page = try await commits.index.answered { index throws(MetadataError) in try await index.scan(scan) }
            try await use(page.entries.compactMap { row in Keys.blobName(row.key).map { ($0, Self.record(row)) } })
            start = page.next
        }
    }

    /// How many shards more the blob can lose; those that are only to move are there. A row without a blob comes last,
    /// and goes.
    private static func margin(_ damaged: DamagedRecord, _ blob: Entry?) -> Int {
        guard let blob else { return .max }
        do throws(RecordError) {
            return try BlobRecord(encoded: blob.value).location.parityShards - damaged.missing
        } catch {
            return .max
        }
    }

    static func record(_ row: Entry) -> DamagedRecord {
        do throws(RecordError) {
            return try DamagedRecord(encoded: row.value)
        } catch {
            // A repair looks at every shard, whatever the row says.
            return DamagedRecord(broken: 0, reported: Timestamp(nanoseconds: 0))
        }
    }

    // MARK: One blob

    /// Repairs a blob, unless another worker is at it.
    private func repairUnclaimed(_ name: BlobName) async throws(WorkerError) {
        guard claims.claim(name) else { return }
        defer { claims.release(name) }
        try await repair(name)
    }

    private func repair(_ name: BlobName) async throws(WorkerError) {
        let rows = try await read(name)
        guard let damaged = rows.damaged else { return }
        guard let blob = rows.blob else {
            try await forget(damaged, of: name)
            return
        }
        let locator: BlobLocator
        do throws(WorkerError) {
            locator = try blob.locator(naming: name)
        } catch {
            report(.failed(.repair, error, retry: nil))
            try await postpone(damaged)
            return
        }
        let done: RepairReport
        do throws(StorageError) {
            done = try await pool.repair(locator)
        } catch {
            report(.failed(.repair, .storage(error), retry: nil))
            try await postpone(damaged)
            return
        }
        pace.moved(done.bytesWritten)
        try await conclude(done, name, blob, damaged)
    }
}
