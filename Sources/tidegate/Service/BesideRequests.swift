import Audit
import Configuration
import Gateway
import IndexBackup
import Logging
import Monitoring
import Pools
import Primitives
import Workers

/// What runs beside requests: the drain of the outbox, the index's journal, repair, scrub, collection, and the watch
/// over the stores.
struct BesideRequests: Sendable {
    private let deployment: Deployment
    private let gateway: Gateway
    private let drainer: OutboxDrainer
    private let repair: RepairService
    private let scrubber: Scrubber
    private let fullScrubber: Scrubber
    private let collector: Collector
    private let durability: DurabilityDesk
    private let looksWanted: AsyncStream<StoreWatch.Look>
    private let wantLook: @Sendable (StoreWatch.Look) -> Void

    /// A scrub that was asked for goes faster than the one of every week.
    private static let fullScrubBytesPerSecond: Int64 = 512 << 20

    init(
        _ deployment: Deployment, _ audit: any AuditSink, _ gateway: Gateway, _ drainer: OutboxDrainer,
        _ durability: DurabilityDesk, _ metrics: WorkerMetrics, _ registry: MetricsRegistry
    ) {
        (self.deployment, self.gateway, self.drainer) = (deployment, gateway, drainer)
        self.durability = durability
        let histories = deployment.histories
        let report: @Sendable (WorkerEvent) -> Void = { event in
            metrics.observe(event)
            histories.observe(event)
        }
        let parts = WorkerParts(deployment, report)
        (repair, collector) = (parts.repair, parts.collector)
        var usual = Scrubber.Settings()
        usual.period = deployment.launch.configuration.pool.scrubInterval
        usual.within = deployment.launch.configuration.pool.scrubWithin
        scrubber = parts.scrubber(usual)
        var full = Scrubber.Settings()
        full.bytesPerSecond = Self.fullScrubBytesPerSecond
        fullScrubber = parts.scrubber(full)
        let (wanted, continuation) = AsyncStream.makeStream(of: StoreWatch.Look.self)
        looksWanted = wanted
        wantLook = { continuation.yield($0) }
        let watch = StoreWatch(
            audit: audit, environment: deployment.environment, region: deployment.launch.configuration.region,
            logger: Logger(label: "tidegate.stores"),
            changes: registry.counter("tidegate_store_changes_total", help: "Stores that went, came or were replaced."),
            wantLook: wantLook)
        deployment.keeper.onEvent { event in
            watch.observe(event)
            histories.observe(event)
            durability.lookAgain()
        }
    }

    /// Runs until it is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await drainer.run() }
            group.addTask { await deployment.backup.run() }
            group.addTask { await repair.run() }
            group.addTask { await scrubber.run() }
            group.addTask { await collector.run() }
            group.addTask { await deployment.keeper.watch() }
            group.addTask { await deployment.capacities.run() }
            group.addTask { await deployment.emptying.run(deployment, repair) }
            group.addTask { await deployment.rebalancing.run(deployment, repair) }
            group.addTask { await lookWhereWanted() }
            group.addTask { await spreadWherePossible() }
            group.addTask { await deployment.histories.run(deployment.commits, deployment.logger) }
            group.addTask { await durability.run(deployment.logger) }
            group.addTask { await UploadSweep(deployment: deployment).run() }
            group.addTask { await MembersKeeper(deployment: deployment).run() }
            group.addTask { await AdoptionWorker(deployment, gateway).run() }
            group.addTask { await countRefusals() }
            await group.waitForAll()
        }
    }

    private func lookWhereWanted() async {
        for await look in looksWanted {
            do throws(WorkerError) {
                switch look {
                case .everyShard:
                    tell(try await fullScrubber.pass())
                    deployment.histories.everyShardWasLookedAt()
                case .placement:
                    let count = try await fullScrubber.spreadingPass()
                    guard count > 0 else { continue }
                    deployment.logger.notice(
                        "shards that had to lie beside others are spread again", metadata: ["shards": .count(count)])
                }
            } catch .cancelled {
                return
            } catch {
                deployment.pool.crowdingRemains()
                deployment.logger.error("a look for shards to restore failed", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// Wants a look where writes had to go round stores that can take shards again.
    private func spreadWherePossible() async {
        while !Task.isCancelled {
            do throws(CancellationError) {
                try await deployment.environment.sleep(for: .seconds(5))
            } catch {
                return
            }
            if deployment.pool.takeCrowding() { wantLook(.placement) }
        }
    }

    private func tell(_ report: ScrubReport) {
        deployment.logger.notice(
            "every shard was looked at after a store's return",
            metadata: [
                "blobs": .count(report.blobs), "damaged-shards": .count(report.damagedShards),
                "shards-beside-siblings": .count(report.crowdedShards),
                "unreachable-shards": .count(report.unreachableShards),
            ])
    }

    private func countRefusals() async {
        while !Task.isCancelled {
            do {
                try await deployment.environment.sleep(for: .seconds(10))
                try await gateway.noise.flush(into: gateway)
            } catch is CancellationError {
                return
            } catch {
                deployment.logger.error("counts of refusals could not be recorded", metadata: ["reason": "\(error)"])
            }
        }
    }
}
