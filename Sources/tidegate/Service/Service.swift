import Audit
import AuditLog
import Configuration
import Cryptography
import Gateway
import Glibc
import Identity
import IndexBackup
import Logging
import Metadata
import Monitoring
import Pools
import Primitives
import Server
import Storage
import Synchronization
import Workers

/// The running gateway: every part connected, and the order in which they stop.
struct Service: Sendable {
    let deployment: Deployment
    let audit: FileAuditLog
    let drainer: OutboxDrainer
    let gateway: Gateway
    let server: Server
    let admin: Server
    let workers: BesideRequests
    let isDraining: RaisedFlag

    private var logger: Logger { deployment.logger }

    /// Opens, connects and starts everything but the workers.
    static func start(_ launch: Launch) async throws(StartError) -> Service {
        let configuration = launch.configuration
        let logger = launch.logger
        try TLSFiles.check(configuration)
        let keys = AccessKeys(configuration)
        let policies = try keys.readyPolicies()
        if !policies.isEmpty {
            let names = policies.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            logger.info("policies read", metadata: ["names": "\(names.joined(separator: ", "))"])
        }
        if configuration.md5 == .plain {
            logger.notice("MD5s are computed one after the other, as is configured: uploads cost more than they need")
        }
        LaneMD5.bePlain(configuration.md5 == .plain)
        let budget = try ServerSettings.budget(configuration, openFiles: FileDescriptorLimit.raise(), logger: logger)
        let deployment = try await Deployment.open(launch) { reason in
            // What the index acknowledged is on the disk; what it does from now on cannot be trusted. The next start
            // recovers it.
            logger.critical(
                """
                the index cannot be trusted any more, so that the process ends; where the next start fails too, \
                `tidegate recover` brings it back
                """, metadata: ["reason": "\(reason)"])
            exit(70)
        }
        let root = try launch.rootKey()
        try await RecoveryKeeping(deployment).begin(KeptAccess(configuration, root: root, policies: policies))
        let registry = MetricsRegistry()
        let audit = try await openAudit(deployment)
        let workerMetrics = WorkerMetrics(registry, environment: launch.environment, logger: logger)
        let drainer = OutboxDrainer(
            commits: deployment.commits, session: deployment.session, audit: audit, environment: launch.environment,
            region: configuration.region, node: configuration.node
        ) { workerMetrics.observe($0) }
        deployment.wake.connect { drainer.wake() }
        let gateway = try makeGateway(deployment, audit, keys, root, registry)
        let durability = DurabilityDesk(deployment)
        let workers = BesideRequests(deployment, audit, gateway, drainer, durability, workerMetrics, registry)
        let isDraining = RaisedFlag()
        let management = AdminAPI(
            gateway,
            Authenticator(
                credentials: try keys.store(root: root), region: configuration.region, service: AdminAPI.service),
            BackendDesk(deployment), durability)
        let (server, admin) = try await listen(
            launch, deployment, audit, gateway, management, durability, registry, isDraining, budget)
        return Service(
            deployment: deployment, audit: audit, drainer: drainer, gateway: gateway, server: server, admin: admin,
            workers: workers, isDraining: isDraining)
    }

    private static func openAudit(_ deployment: Deployment) async throws(StartError) -> FileAuditLog {
        let (launch, logger) = (deployment.launch, deployment.logger)
        let noted = try await deployment.auditMark()
        let audit = try StartError.translated("The audit log") { () throws(AuditError) in
            try FileAuditLog(
                AuditLogOptions(launch.configuration, epoch: deployment.session.gateway),
                environment: launch.environment, noted: noted
            ) { reason in
                logger.warning(
                    "the audit log's mark could not be set; the next sync tries again",
                    metadata: ["reason": "\(reason)"])
            }
        }
        if let cut = audit.cut {
            logger.error(
                "an unfinished end of the audit log was cut off and kept; `tidegate audit verify` looks into it",
                metadata: ["bytes": "\(cut.bytes)", "file": "\(cut.file)", "before-record": "\(cut.sequence)"])
        }
        return audit
    }

    private static func makeGateway(
        _ deployment: Deployment, _ audit: FileAuditLog, _ keys: AccessKeys, _ root: RootKey,
        _ registry: MetricsRegistry
    ) throws(StartError) -> Gateway {
        let (configuration, environment) = (deployment.launch.configuration, deployment.environment)
        let wake = deployment.wake
        let (session, backup) = (deployment.session, deployment.backup)
        let commits = CommitService(
            index: deployment.index, epoch: session.gateway, begun: session.begun,
            journalled: { backup.status.journalledThrough }, onCommit: { wake() })
        let packer = try StartError.translated("The pool") { () throws(StorageError) in
            try Packer(deployment.pool) { commits.blobName(random: environment.random()) }
        }
        let requests = RequestMetrics(registry, logger: Logger(label: "tidegate.requests"))
        registry.observe("tidegate_small_objects_waiting", help: "Small objects that wait for their blob.") {
            Double(packer.waitingObjects)
        }
        return Gateway(
            settings: GatewaySettings(
                region: configuration.region, domains: configuration.domains, accountNames: keys.accountNames,
                node: configuration.node,
                auditDurability: configuration.audit.durability == .strict ? .strict : .bounded),
            index: deployment.index,
            storage: PooledStorage(
                pool: deployment.pool, packer: packer, index: deployment.index, environment: environment,
                commits: commits, foreign: deployment.adopted),
            authenticator: Authenticator(
                credentials: try keys.store(root: root), region: configuration.region,
                allowsSignatureV2: configuration.signatureV2 == .on),
            audit: audit, environment: environment, commits: commits, metrics: GatewayMetrics { requests.observe($0) },
            horizon: deployment.horizon, sharing: deployment.sharing)
    }

    private static func listen(
        _ launch: Launch, _ deployment: Deployment, _ audit: FileAuditLog, _ gateway: Gateway,
        _ management: AdminAPI, _ durability: DurabilityDesk, _ registry: MetricsRegistry, _ isDraining: RaisedFlag,
        _ budget: DescriptorBudget
    ) async throws(StartError) -> (server: Server, admin: Server) {
        let configuration = launch.configuration
        let readiness = Readiness(deployment: deployment, audit: audit, isDraining: isDraining)
        let isServing = RaisedFlag()
        let handler = AdminHandler(
            metrics: {
                await ServiceGauges.refresh(registry, deployment)
                DurabilityGauges.refresh(registry, durability)
                return registry.text()
            }, credential: configuration.admin.credential,
            obstacles: { isServing.isRaised ? await readiness.obstacles() : ["The S3 port is not open yet."] },
            management: management)
        let admin = try await StartError.awaited("The admin port") { () throws(ServerError) in
            try await Server.start(
                ServerSettings.admin(configuration), handler: handler, environment: launch.environment)
        }
        do throws(StartError) {
            var settings = ServerSettings.front(configuration, budget)
            let logger = Logger(label: "tidegate.front")
            settings.onRefusal = { reason, peer, detail in
                logger.debug(
                    "refused before it was a request of S3",
                    metadata: ["why": "\(reason.rawValue)", "client": "\(peer)", "detail": "\(detail ?? "")"])
            }
            let front = settings
            let server = try await StartError.awaited("The S3 port") { () throws(ServerError) in
                try await Server.start(front, handler: Pipeline(gateway), environment: launch.environment)
            }
            isServing.raise()
            ServiceGauges.register(registry, deployment, audit, server)
            DurabilityGauges.register(registry, durability)
            return (server, admin)
        } catch {
            await admin.drain(deadline: .zero)
            throw error
        }
    }

    // MARK: Running

    private enum Event: Sendable {
        case signal(ProcessSignal)
        case drained
    }

    /// Serves until a signal asks for the end, and then stops in order: requests, workers, outbox, journal, log, index,
    /// stores.
    func run(_ signals: AsyncStream<ProcessSignal>) async {
        let beside = Task { await workers.run() }
        let (events, continuation) = AsyncStream.makeStream(of: Event.self)
        let forwarding = Task {
            for await signal in signals { continuation.yield(.signal(signal)) }
        }
        var drain: Task<Void, Never>?
        loop: for await event in events {
            switch event {
            case .drained: break loop
            case .signal(.reload): await reload()
            case .signal(.drain):
                guard drain == nil else {
                    logger.notice("asked to stop again: requests in flight are cut")
                    tellCut(await server.drain(deadline: .zero))
                    continue
                }
                logger.notice("stopping: requests in flight are finished")
                isDraining.raise()
                drain = Task {
                    tellCut(await server.drain(deadline: deployment.launch.configuration.drainTimeout))
                    continuation.yield(.drained)
                }
            }
        }
        forwarding.cancel()
        beside.cancel()
        await beside.value
        await stop()
    }

    private func tellCut(_ requests: Int) {
        guard requests > 0 else { return }
        logger.warning("requests in flight were cut", metadata: ["requests": .count(requests)])
    }

    private func reload() async {
        let configuration = deployment.launch.configuration
        guard configuration.tls != nil else {
            logger.notice("nothing is read again: SIGHUP is for certificates, and TLS is not configured")
            return
        }
        do {
            try TLSFiles.check(configuration)
            try await server.reloadTLS()
            logger.notice("certificates read again")
        } catch {
            logger.error("certificates could not be read again; the old ones stay", metadata: ["reason": "\(error)"])
        }
    }

    private func stop() async {
        await attempt("the counts of refusals") { try await gateway.noise.flush(into: gateway, isLast: true) }
        await attempt("the outbox") { try await drainer.drainAll() }
        await attempt("what was seen of the stores") { try await deployment.histories.write(deployment.commits) }
        await attempt("the index's journal") { try await deployment.backup.flush() }
        await attempt("the audit log") { try await audit.stop() }
        await deployment.close()
        await admin.drain(deadline: .zero)
        logger.notice("stopped")
    }

    /// Does one step of the end, and goes on whatever comes of it: what is not done now is done at the next start.
    private func attempt<Value>(_ what: String, _ step: () async throws -> Value) async {
        do {
            _ = try await step()
        } catch {
            logger.error("\(what) could not be finished", metadata: ["reason": "\(error)"])
        }
    }
}

/// A flag that is raised once.
final class RaisedFlag: Sendable {
    private let value = Atomic<Bool>(false)

    func raise() {
        value.store(true, ordering: .relaxed)
    }

    var isRaised: Bool { value.load(ordering: .relaxed) }
}

extension AuditLogOptions {
    /// The log of a gateway, as it is configured.
    init(_ configuration: TidegateConfiguration, epoch: UInt32) {
        self.init(
            directory: configuration.audit.directory, node: configuration.node, epoch: epoch,
            region: configuration.region, segmentBytes: configuration.audit.segmentBytes,
            reserveBytes: configuration.audit.reserveBytes)
    }
}
