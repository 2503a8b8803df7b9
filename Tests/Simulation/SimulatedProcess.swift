import Audit
import Erasure
import Gateway
import Identity
import IndexBackup
import Metadata
import Policy
import Pools
import Primitives
import Signing
import Storage
import Synchronization
import TidegateTesting
import Workers

/// One process of the gateway in a simulation: everything below `Server`, connected as the executable connects it, on a
/// lane of its own.
final class SimulatedProcess: Sendable {
    static let region = "us-east-1"
    static let keyID = "SIMULATED"
    static let secret = SecretKey("the secret of the simulation")

    let lane: SeededScheduler.Lane
    let gateway: Gateway
    let pipeline: Pipeline
    let session: WriterSession
    let commits: WorkerCommits
    let pool: ErasurePool
    let drainer: OutboxDrainer
    let repair: RepairService
    let scrubber: Scrubber
    let trash: TrashCollector
    let orphans: OrphanCollector
    let backup: IndexBackup
    private let damage: DamageQueue
    private let collector: Collector

    /// What is beneath a process, and outlives it.
    struct Ground: Sendable {
        var host: SimulatedHost
        var index: SimulatedIndex
        var stores: [SimulatedStore]
        var log: SimulatedLogDisk
        var shape: Shape
        var deployment: [UInt8]
        /// Told of each request.
        var observe: @Sendable (GatewayMetrics.Observation) -> Void
    }

    /// How a deployment is made.
    struct Shape: Sendable {
        var data: Int
        var parity: Int
        /// Bytes of a cell.
        var cell: Int
        /// Whether small objects share blobs.
        var packs: Bool
        /// Whether commits wait for the index's journal.
        var isJournalled: Bool
    }

    /// Starts a process, which ends the epochs of those before it.
    ///
    /// - Parameter report: what the workers tell.
    init(
        _ ground: Ground, on lane: SeededScheduler.Lane, session: WriterSession,
        report: @escaping @Sendable (WorkerEvent) -> Void
    ) throws {
        (self.lane, self.session) = (lane, session)
        let (environment, shape) = (ground.host.environment, ground.shape)
        let launcher = TaskLauncher { lane.start($0) }
        let wake = Mutex<OutboxDrainer?>(nil)
        let plain = WorkerCommits(index: ground.index, epoch: session.workers) { wake.withLock { $0 }?.wake() }
        damage = DamageQueue(environment: environment, patience: .seconds(2))
        var configuration = PoolConfiguration(
            deployment: try DeploymentID(session.deployment.id),
            geometry: try Geometry(dataShards: shape.data, parityShards: shape.parity, cellSize: shape.cell))
        configuration.shardDeadline = .seconds(1)
        // So that slow stores, which take up to 600 ms, are left behind now and then.
        configuration.stragglerAfter = .milliseconds(200)
        // Two stripes, so that a read of some depends on its shards to its end.
        configuration.readAhead = 0
        pool = try ErasurePool(
            stores: ground.stores, configuration: configuration, environment: environment, launcher: launcher,
            reporter: { [damage] in damage.report($0, $1) })
        var options = IndexBackup.Options()
        options.snapshotAfterSegments = 64
        options.patience = StorePatience(
            environment, launcher: launcher, hesitation: .milliseconds(300), deadline: .seconds(2))
        let backup = IndexBackup(
            of: ground.index, in: ground.stores, copies: shape.parity + 1, epoch: session.workers,
            begun: session.begun, environment: environment, options: options)
        self.backup = backup
        let index: any MetadataIndex =
            shape.isJournalled ? JournaledIndex(ground.index, backup: backup) : ground.index
        commits = WorkerCommits(plain, through: index) { backup.status.journalledThrough }
        let audit = SimulatedAuditLog(ground.log, epoch: session.gateway, ground.host)
        let drainer = OutboxDrainer(
            commits: commits, session: session, audit: audit, environment: environment, region: Self.region,
            node: SimulatedAuditLog.node, report: report)
        self.drainer = drainer
        wake.withLock { $0 = drainer }
        let (horizon, sharing, claims) = (ReadHorizon(), ReadHorizon(), BlobClaims())
        let gatewayCommits = CommitService(
            index: index, epoch: session.gateway, begun: session.begun,
            journalled: { backup.status.journalledThrough }, onCommit: { drainer.wake() })
        let packer =
            shape.packs ? try Packer(pool) { gatewayCommits.blobName(random: environment.random()) } : nil
        var settings = GatewaySettings(region: Self.region, node: SimulatedAuditLog.node)
        // Half of the lengths, so that answers of both kinds come.
        settings.wholeBytes = 2048
        gateway = Gateway(
            settings: settings, index: index,
            storage: PooledStorage(
                pool: pool, packer: packer, index: index, environment: environment, commits: gatewayCommits),
            authenticator: Authenticator(credentials: try Self.credentials(), region: Self.region), audit: audit,
            environment: environment, commits: gatewayCommits, metrics: GatewayMetrics { ground.observe($0) },
            horizon: horizon,
            sharing: sharing, launcher: launcher)
        pipeline = Pipeline(gateway)
        repair = Self.makeRepair(commits, pool, damage, horizon, claims, environment, report)
        scrubber = Self.makeScrubber(commits, pool, damage, environment, report)
        var trashSettings = TrashCollector.Settings()
        trashSettings.writers = (session.gateway, sharing)
        trashSettings.retry = .milliseconds(500)
        trash = TrashCollector(
            commits: commits, pool: pool, horizon: horizon, claims: claims, environment: environment,
            settings: trashSettings, report: report)
        orphans = Self.makeOrphans(ground, commits, session, pool, claims, report)
        collector = Self.makeCollector(trash, orphans, commits, environment, report)
    }

    /// The workers, until the lane dies or the task is cancelled.
    func work() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [drainer] in await drainer.run() }
            group.addTask { [backup] in await backup.run() }
            group.addTask { [repair] in await repair.run() }
            group.addTask { [scrubber] in await scrubber.run() }
            group.addTask { [collector] in await collector.run() }
            await group.waitForAll()
        }
    }

    /// Repairs what was reported so far, whatever is due when.
    func repairAll() async throws(WorkerError) {
        _ = try await damage.flush(commits)
        while try await repair.repairPass() > 0 {}
    }

    // MARK: Parts, with times that suit a simulation of seconds

    private static func makeRepair(
        _ commits: WorkerCommits, _ pool: ErasurePool, _ damage: DamageQueue, _ horizon: ReadHorizon,
        _ claims: BlobClaims, _ environment: any Environment, _ report: @escaping @Sendable (WorkerEvent) -> Void
    ) -> RepairService {
        var settings = RepairService.Settings()
        (settings.period, settings.consideredFor) = (.seconds(1), .milliseconds(500))
        (settings.firstRetry, settings.longestRetry) = (.milliseconds(500), .seconds(2))
        return RepairService(
            commits: commits, pool: pool, queue: damage, horizon: horizon, claims: claims, environment: environment,
            region: region, settings: settings, report: report)
    }

    private static func makeScrubber(
        _ commits: WorkerCommits, _ pool: ErasurePool, _ damage: DamageQueue, _ environment: any Environment,
        _ report: @escaping @Sendable (WorkerEvent) -> Void
    ) -> Scrubber {
        var settings = Scrubber.Settings()
        (settings.bytesPerSecond, settings.period) = (nil, .seconds(5))
        return Scrubber(
            commits: commits, pool: pool, queue: damage, environment: environment, settings: settings, report: report)
    }

    private static func makeOrphans(
        _ ground: Ground, _ commits: WorkerCommits, _ session: WriterSession, _ pool: ErasurePool,
        _ claims: BlobClaims, _ report: @escaping @Sendable (WorkerEvent) -> Void
    ) -> OrphanCollector {
        var settings = OrphanCollector.Settings()
        settings.quarantine = .milliseconds(500)
        let stores = ground.stores.map { store in
            CollectedStore(
                number: store.number, store: store, identity: { () throws(StorageError) in store.identity },
                mark: { identity throws(StorageError) in store.identity = identity })
        }
        return OrphanCollector(
            commits: commits, session: session, pool: pool, stores: stores, claims: claims,
            environment: ground.host.environment, settings: settings, report: report)
    }

    private static func makeCollector(
        _ trash: TrashCollector, _ orphans: OrphanCollector, _ commits: WorkerCommits, _ environment: any Environment,
        _ report: @escaping @Sendable (WorkerEvent) -> Void
    ) -> Collector {
        var settings = Collector.Settings()
        (settings.trashPeriod, settings.longestTrashPeriod) = (.milliseconds(20), .milliseconds(100))
        settings.orphanPeriod = .milliseconds(700)
        return Collector(
            trash: trash, orphans: orphans, uploads: UploadCollector(commits: commits, environment: environment),
            environment: environment, settings: settings, report: report)
    }

    private static func credentials() throws -> StaticCredentialStore {
        try StaticCredentialStore(
            root: AccessKey(id: keyID, secret: secret, principal: .root(account: "111122223333")), users: [])
    }
}
