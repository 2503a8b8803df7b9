import Audit
import AuditLog
import IndexBackup
import Monitoring
import Pools
import Server
import Workers

/// The numbers that parts keep themselves, for the metrics.
enum ServiceGauges {
    static func register(
        _ registry: MetricsRegistry, _ deployment: Deployment, _ audit: FileAuditLog, _ server: Server
    ) {
        let keeper = deployment.keeper
        registry.observe("tidegate_stores_attached", help: "Stores of the pool that are attached.") {
            Double(keeper.slots.count { $0.store != nil })
        }
        registry.observe("tidegate_stores", help: "Stores of the pool.") { Double(keeper.slots.count { !$0.isGone }) }
        let filling = deployment.capacities.filling
        registry.observe("tidegate_stores_nearly_full", help: "Stores above pool.warn-above of their capacity.") {
            Double(filling.count(from: .nearlyFull))
        }
        registry.observe("tidegate_stores_full", help: "Stores above pool.full-above of their capacity.") {
            Double(filling.count(from: .full))
        }
        let backup = deployment.backup
        registry.observe(
            "tidegate_index_journal_lag_seconds",
            help: "How long ago the journal on the stores had every commit; 0 where it has them all."
        ) { backup.status.secondsBehind }
        registry.observe(
            "tidegate_index_journalled_commit", help: "The last commit that the journal on the stores has."
        ) { Double(backup.status.journalledThrough) }
        registry.observe(
            "tidegate_index_journal_failures_total", help: "Passes of the journal that failed.", isCounter: true
        ) { Double(backup.status.failures) }
        let damage = deployment.damage
        registry.observe("tidegate_damaged_blobs_waiting", help: "Damaged blobs that wait to be put on the queue.") {
            Double(damage.count)
        }
        slowStores(registry, deployment.pool)
        let (emptying, rebalancing) = (deployment.emptying, deployment.rebalancing)
        registry.observe("tidegate_drain_blobs_left", help: "Blobs with shards on stores that are drained.") {
            Double(emptying.left ?? 0)
        }
        registry.observe("tidegate_rebalance_blobs_left", help: "Blobs that a rebalance is to move.") {
            Double(rebalancing.progress?.toMove ?? 0)
        }
        let horizon = deployment.horizon
        registry.observe("tidegate_reads_open", help: "Requests under way that may read blobs.") {
            Double(horizon.openReads)
        }
        registry.observe("tidegate_audit_accepts_changes", help: "Whether the audit log takes records of changes.") {
            audit.acceptsMutations ? 1 : 0
        }
        registry.observe("tidegate_audit_records", help: "Records that the audit log has synced.") {
            audit.head.map { Double($0.sequence + 1) } ?? 0
        }
        connections(registry, server)
    }

    /// Sets the numbers that have labels, or that take a question; to be called before the text is made.
    static func refresh(_ registry: MetricsRegistry, _ deployment: Deployment) async {
        // What is observed of the journal is as of now then.
        _ = await deployment.backup.currentStatus()
        let attached = registry.gauges(
            "tidegate_store_attached", help: "Whether the store in a position of the pool is attached.",
            labels: ["store"])
        for slot in deployment.keeper.slots where !slot.isGone {
            attached[String(slot.position)].set(slot.store == nil ? 0 : 1)
        }
        let times = registry.gauges(
            "tidegate_store_first_cell_microseconds",
            help: "How long the store in a position takes to give the first cell that a read waits for: a moving mean. "
                + "0 where it was not asked lately.", labels: ["store"])
        for slot in deployment.keeper.slots where !slot.isGone {
            let time = deployment.pool.answerTime(ofStore: slot.position) ?? .zero
            times[String(slot.position)].set(Int64(time / .microseconds(1)))
        }
        spaces(registry, deployment)
    }

    private static func spaces(_ registry: MetricsRegistry, _ deployment: Deployment) {
        let bytes = registry.gauges(
            "tidegate_store_bytes", help: "Bytes that are used, available and in all on a store, where that is known.",
            labels: ["store", "kind"])
        for slot in deployment.keeper.slots {
            guard let space = deployment.capacities.filling.space(of: slot.position) else { continue }
            let store = String(slot.position)
            bytes[store, "used"].set(space.used)
            guard let capacity = space.capacity, let available = space.available else { continue }
            bytes[store, "capacity"].set(capacity)
            bytes[store, "available"].set(available)
        }
    }

    private static func slowStores(_ registry: MetricsRegistry, _ pool: ErasurePool) {
        registry.observe(
            "tidegate_spreading_waits",
            help: "Whether shards may lie beside others of their object until every store can take some again."
        ) { pool.mayBeCrowded ? 1 : 0 }
        registry.observe(
            "tidegate_hedged_reads_total", help: "Reads of shards that were begun beside slow ones.", isCounter: true
        ) { Double(pool.hedges.begun) }
        registry.observe(
            "tidegate_hedged_reads_won_total", help: "Those of them that came before the slow ones.", isCounter: true
        ) { Double(pool.hedges.won) }
        registry.observe(
            "tidegate_hedged_reads_refused_total", help: "Those for which nothing was left of the budget.",
            isCounter: true
        ) { Double(pool.hedges.refused) }
        registry.observe(
            "tidegate_hedge_budget_left", help: "Reads of shards that may be begun beside slow ones now."
        ) { pool.hedges.left }
        registry.observe(
            "tidegate_write_stragglers_total",
            help: "Shards of writes that went on without the store that alone held them up.", isCounter: true
        ) { Double(pool.stragglers) }
    }

    private static func connections(_ registry: MetricsRegistry, _ server: Server) {
        registry.observe("tidegate_connections_open", help: "Connections that are open.") {
            Double(server.counters.openConnections)
        }
        registry.observe("tidegate_connections_total", help: "Connections accepted.", isCounter: true) {
            Double(server.counters.acceptedConnections)
        }
        registry.observe("tidegate_requests_in_flight", help: "Requests whose answer is not whole yet.") {
            Double(server.counters.requestsInFlight)
        }
        registry.observe("tidegate_socket_bytes_received_total", help: "Bytes received.", isCounter: true) {
            Double(server.counters.bytesReceived)
        }
        registry.observe("tidegate_socket_bytes_sent_total", help: "Bytes sent.", isCounter: true) {
            Double(server.counters.bytesSent)
        }
        registry.observe(
            "tidegate_requests_refused_total", help: "Requests that the front refused itself.", isCounter: true
        ) { Double(server.counters.refused.values.reduce(0, +)) }
    }
}
