import Configuration
import Pools
import Primitives
import Storage
import Workers

/// The workers over a deployment, made alike for the service and for the commands.
struct WorkerParts: Sendable {
    let repair: RepairService
    let collector: Collector
    private let deployment: Deployment
    private let report: @Sendable (WorkerEvent) -> Void

    /// - Parameter quarantine: how long an orphan is left alone; nil for the usual time.
    init(
        _ deployment: Deployment, quarantine: Duration? = nil, _ report: @escaping @Sendable (WorkerEvent) -> Void
    ) {
        (self.deployment, self.report) = (deployment, report)
        let environment = deployment.environment
        var repairs = RepairService.Settings()
        repairs.bytesPerSecond = deployment.launch.configuration.pool.repairRate
        repair = RepairService(
            commits: deployment.commits, pool: deployment.pool, queue: deployment.damage, horizon: deployment.horizon,
            claims: deployment.claims, environment: environment, region: deployment.launch.configuration.region,
            settings: repairs, report: report)
        var orphans = OrphanCollector.Settings()
        orphans.quarantine = quarantine ?? orphans.quarantine
        var trash = TrashCollector.Settings()
        trash.writers = (deployment.session.gateway, deployment.sharing)
        collector = Collector(
            trash: TrashCollector(
                commits: deployment.commits, pool: deployment.pool, horizon: deployment.horizon,
                claims: deployment.claims, environment: environment, settings: trash, report: report),
            orphans: OrphanCollector(
                commits: deployment.commits, session: deployment.session, pool: deployment.pool,
                stores: Self.stores(of: deployment.keeper),
                claims: deployment.claims, environment: environment, settings: orphans, report: report),
            uploads: UploadCollector(commits: deployment.commits, environment: environment),
            environment: environment, report: report)
    }

    private static func stores(of keeper: StoreKeeper) -> [CollectedStore] {
        keeper.slots.filter { !$0.isGone }.map { slot in
            CollectedStore(
                number: slot.position, store: slot,
                identity: { () throws(StorageError) in try await slot.identity() },
                mark: { identity throws(StorageError) in try await slot.mark(identity) })
        }
    }

    func scrubber(_ settings: Scrubber.Settings) -> Scrubber {
        Scrubber(
            commits: deployment.commits, pool: deployment.pool, queue: deployment.damage,
            environment: deployment.environment, settings: settings, report: report)
    }
}
