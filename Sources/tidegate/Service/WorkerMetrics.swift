import Logging
import Monitoring
import Primitives
import Synchronization
import Workers

/// Counts and logs what workers do and meet.
final class WorkerMetrics: Sendable {
    private let environment: any Environment
    /// When a failure of each worker was logged last, and how many were not since.
    private let quiet = Mutex<[Worker: (time: UInt64, count: Int)]>([:])
    private let failures: MetricFamily<Counter>
    private let drained: Counter
    private let collected: Counter
    private let orphans: Counter
    private let repaired: Counter
    private let unrepaired: Counter
    private let scrubbed: Counter
    private let damaged: Counter
    private let logger: Logger
    private let repairs: RepairLog

    init(_ registry: MetricsRegistry, environment: any Environment, logger: Logger) {
        self.environment = environment
        failures = registry.counters(
            "tidegate_worker_failures_total", help: "Steps of workers that failed, by worker.", labels: ["worker"])
        drained = registry.counter(
            "tidegate_audit_records_drained_total",
            help: "Audit records of changes that went from the index to the log.")
        collected = registry.counter("tidegate_blobs_deleted_total", help: "Blobs whose shards were removed.")
        orphans = registry.counter("tidegate_orphans_deleted_total", help: "Shards without a blob that were removed.")
        repaired = registry.counter(
            "tidegate_shards_repaired_total", help: "Shards that were written anew, and read back.")
        unrepaired = registry.counter(
            "tidegate_repairs_failed_total", help: "Shards that could not be repaired when it was tried.")
        scrubbed = registry.counter("tidegate_scrubbed_blobs_total", help: "Blobs whose every shard was read.")
        damaged = registry.counter("tidegate_scrub_damaged_shards_total", help: "Shards that a scrub found damaged.")
        self.logger = logger
        repairs = RepairLog(environment: environment, logger: logger)
    }

    func observe(_ event: WorkerEvent) {
        switch event {
        case .failed(let worker, let error, let retry):
            failures[worker.rawValue].add()
            log(worker, error, retry)
        case .drained(let records): drained.add(UInt64(records))
        case .unreadableOutboxRow:
            logger.error("a row of the audit outbox is no record; the log has one that says so")
        case .trash(let report): collected.add(UInt64(report.deleted))
        case .orphans(let report): observe(report)
        case .uploadsForgotten(let count):
            logger.debug("answers to completed uploads were forgotten", metadata: ["count": .count(count)])
        case .repaired(let name, let stores):
            repaired.add(UInt64(stores.count))
            repairs.repaired(name, stores: stores)
        case .unrepaired(let name, let shards):
            unrepaired.add(UInt64(shards.count))
            repairs.unrepaired(name, shards: shards)
        case .restored, .damageFound: break  // `StoreHistories` keeps them.
        case .repairsRest: repairs.rest()
        case .damageReportsDropped(let count):
            logger.warning("reports of damage were dropped; a scrub finds it", metadata: ["count": .count(count)])
        case .scrubbed(let report): observe(report)
        }
    }

    /// One line a worker and minute: while a store is away, every blob that lies there fails alike.
    private func log(_ worker: Worker, _ error: WorkerError, _ retry: Duration?) {
        let now = environment.monotonicNanoseconds()
        let unlogged: Int? = quiet.withLock { quiet in
            guard let since = quiet[worker], now &- since.time < 60_000_000_000 else {
                defer { quiet[worker] = (now, 0) }
                return quiet[worker]?.count ?? 0
            }
            quiet[worker]?.count += 1
            return nil
        }
        guard let unlogged else { return }
        logger.warning(
            "a worker's step failed",
            metadata: [
                "worker": "\(worker.rawValue)", "reason": "\(error)", "retry": "\(retry.map { "\($0)" } ?? "no")",
                "unlogged-before": .count(unlogged),
            ])
    }

    private func observe(_ report: OrphanReport) {
        for store in report.stores {
            orphans.add(UInt64(store.deleted))
            if store.kept > 0 {
                logger.warning(
                    "shards that nothing names are kept since the index was recovered, until collect --after-recovery",
                    metadata: ["store": .count(store.number), "shards": .count(store.kept)])
            }
            guard let reason = store.stopped else { continue }
            logger.warning("orphans not collected", metadata: ["store": .count(store.number), "reason": "\(reason)"])
        }
    }

    private func observe(_ report: ScrubReport) {
        scrubbed.add(UInt64(report.blobs))
        damaged.add(UInt64(report.damagedShards))
        logger.notice(
            "scrub pass ended",
            metadata: [
                "blobs": .count(report.blobs), "bytes": .count(report.bytes),
                "damaged-shards": .count(report.damagedShards),
                "shards-beside-siblings": .count(report.crowdedShards),
                "unreachable-shards": .count(report.unreachableShards),
            ])
    }
}
