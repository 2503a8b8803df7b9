import Audit
import Configuration
import DirectoryStore
import EmbeddedIndex
import Erasure
import FoundationEssentials
import IndexBackup
import Logging
import Metadata
import Pools
import Primitives
import Storage
import Synchronization
import Workers

/// What the service and the commands that work beside it have in common: the index, the stores and the pool over them,
/// under a writer epoch of their own.
struct Deployment: Sendable {
    let launch: Launch
    let embedded: EmbeddedIndex
    /// What commits go to: the embedded index, or the one that waits for the journal too.
    let index: any MetadataIndex
    let backup: IndexBackup
    let session: WriterSession
    let commits: WorkerCommits
    let keeper: StoreKeeper
    let pool: ErasurePool
    let damage: DamageQueue
    /// Where requests that may want a blob's bytes take a token.
    let horizon = ReadHorizon()
    /// Where requests that may share a blob take a token.
    let sharing = ReadHorizon()
    let claims = BlobClaims()
    /// Called when records went into the outbox.
    let wake: Wake

    var environment: SystemEnvironment { launch.environment }
    var logger: Logger { launch.logger }

    /// Opens everything, and ends the epochs of whoever ran before.
    ///
    /// - Parameter onSuspect: called once when the index cannot be trusted any more: the process has to end.
    /// - Throws: `StartError`.
    static func open(
        _ launch: Launch, onSuspect: @escaping @Sendable (String) -> Void
    ) async throws(StartError) -> Deployment {
        let configuration = launch.configuration
        var findings: [StoreFinding] = []
        for path in configuration.pool.directories { findings.append(await StoreFinding.find(path)) }
        let owner = try StoreArrangement.deployment(findings)
        guard owner == nil || FileManager.default.fileExists(atPath: configuration.index.path) else {
            throw StartError(
                "The index \(configuration.index.path) is missing, but the stores hold data. "
                    + "`tidegate recover` brings it back from them.")
        }
        return try await open(launch, findings, owner, onSuspect)
    }

    private static func open(
        _ launch: Launch, _ findings: [StoreFinding], _ owner: [UInt8]?,
        _ onSuspect: @escaping @Sendable (String) -> Void
    ) async throws(StartError) -> Deployment {
        var options = EmbeddedIndex.Options()
        options.onSuspect = onSuspect
        let configuration = launch.configuration
        let path = configuration.index.path
        let embedded = try await StartError.awaited("The index \(path)") { () throws(IndexOpenError) in
            try await EmbeddedIndex.open(path: path, options: options)
        }
        do throws(StartError) {
            try await refuseOldCopy(launch, embedded, findings)
            let keeper = EpochKeeper(index: embedded, environment: launch.environment, node: configuration.node)
            let session = try await StartError.awaited("The index \(path)") { () throws(WorkerError) in
                try await keeper.begin(deployment: owner)
            }
            return try await assemble(launch, embedded, session, findings)
        } catch {
            await embedded.close()
            throw error
        }
    }

    /// Refuses an index that is older than what the stores know of it.
    private static func refuseOldCopy(
        _ launch: Launch, _ index: EmbeddedIndex, _ findings: [StoreFinding]
    ) async throws(StartError) {
        let (path, environment) = (launch.configuration.index.path, launch.environment)
        let (last, drawn) = try await StartError.awaited("The index \(path)") { () throws(MetadataError) in
            (try await index.kept().last, try await index.values(of: [Keys.nextEpoch])[0])
        }
        var stores: [DirectoryStore] = []
        for finding in findings where finding.identity != nil {
            do throws(StorageError) {
                stores.append(try await finding.open(environment))
            } catch {
                // Why it cannot be opened is told when it is to be attached.
                continue
            }
        }
        let newer = await IndexAge.newer(
            than: last, nextEpoch: drawn.map { Keys.number($0.value) } ?? 0, in: stores,
            patience: StorePatience(environment))
        for store in stores { await store.close() }
        guard let newer else { return }
        throw StartError(
            "The index \(path) is an old copy: it ends with commit \(last), and the stores know of commit "
                + "\(newer.commit) of a later run or a later moment (writer epoch \(newer.epoch)). To serve from it "
                + "would lose what was stored since. No object was touched. Move the index away, and "
                + "`tidegate recover` brings back the newest one.")
    }

    private static func assemble(
        _ launch: Launch, _ embedded: EmbeddedIndex, _ session: WriterSession, _ findings: [StoreFinding]
    ) async throws(StartError) -> Deployment {
        let wake = Wake()
        let plain = WorkerCommits(index: embedded, epoch: session.workers) { wake() }
        let registry = try await StoreRegistry.read(embedded)
        let order = try StoreArrangement.positions(of: findings, records: registry.stores)
        let arranged = order.map { findings[$0] }
        let keeper = StoreKeeper(
            arranged, records: registry.stores, commits: plain, deployment: session.deployment.id,
            environment: launch.environment)
        do throws(StartError) {
            try await StartError.awaited("The stores") { () throws(WorkerError) in try await keeper.attach(arranged) }
            let placements = try await registry.placements(of: keeper.slots.count, plain)
            return try connect(launch, embedded, session, keeper, placements, plain, wake)
        } catch {
            await keeper.close()
            throw error
        }
    }

    private static func connect(
        _ launch: Launch, _ embedded: EmbeddedIndex, _ session: WriterSession, _ keeper: StoreKeeper,
        _ placements: [Placement], _ plain: WorkerCommits, _ wake: Wake
    ) throws(StartError) -> Deployment {
        let (configuration, environment) = (launch.configuration, launch.environment)
        let damage = DamageQueue(environment: environment)
        let pool = try makePool(configuration, keeper.slots, session, placements, damage, environment)
        var options = IndexBackup.Options()
        options.interval = configuration.index.journalLag
        let backup = IndexBackup(
            of: embedded, in: keeper.slots, copies: configuration.pool.parityShards + 1, epoch: session.workers,
            begun: session.begun, environment: environment, options: options)
        let isSynchronous = configuration.index.journal == .sync
        let index: any MetadataIndex = isSynchronous ? JournaledIndex(embedded, backup: backup) : embedded
        let commits = WorkerCommits(plain, through: index) { backup.status.journalledThrough }
        return Deployment(
            launch: launch, embedded: embedded, index: index, backup: backup, session: session, commits: commits,
            keeper: keeper, pool: pool, damage: damage, wake: wake)
    }

    /// The pool over the slots, as it is configured.
    static func makePool(
        _ configuration: TidegateConfiguration, _ slots: [StoreSlot], _ session: WriterSession,
        _ placements: [Placement], _ damage: DamageQueue, _ environment: any Environment
    ) throws(StartError) -> ErasurePool {
        let settings = configuration.pool
        let deployment = try StartError.translated("The index") { () throws(ErasureError) in
            try DeploymentID(session.deployment.id)
        }
        let geometry = try StartError.translated("The pool") { () throws(ErasureError) in
            try Geometry(
                dataShards: settings.dataShards, parityShards: settings.parityShards, cellSize: settings.cellSize)
        }
        var pool = PoolConfiguration(deployment: deployment, geometry: geometry)
        pool.placements = placements
        pool.writeQuorum = settings.writeQuorum
        pool.isAway = { slots[$0].absence != nil }
        return try StartError.translated("The pool") { () throws(StorageError) in
            try ErasurePool(stores: slots, configuration: pool, environment: environment) { name, found in
                damage.report(name, found)
            }
        }
    }

    /// How far the audit log of this gateway went when its outbox was drained last; nil where that never was.
    func auditMark() async throws(StartError) -> AuditHead? {
        let entry = try await StartError.awaited("The index") { () throws(MetadataError) in
            try await embedded.values(of: [Keys.auditMark(node: launch.configuration.node)])[0]
        }
        guard let entry else { return nil }
        guard let head = AuditHead(String(decoding: entry.value, as: UTF8.self)) else {
            throw StartError("The index: what it notes of the audit log is no record's number and hash.")
        }
        return head
    }

    /// Closes index and stores, once nothing works with them any more.
    func close() async {
        await embedded.close()
        await keeper.close()
    }
}

/// Passes on that there are records in the outbox, to whoever drains it.
final class Wake: Sendable {
    /// A structure around the function: a function that is itself behind a lock is wrapped anew at each look, and what
    /// it is then called through grows without end.
    private struct Target {
        let call: @Sendable () -> Void
    }

    private let target = Mutex<Target?>(nil)

    func callAsFunction() {
        target.withLock { $0 }?.call()
    }

    func connect(_ call: @escaping @Sendable () -> Void) {
        target.withLock { $0 = Target(call: call) }
    }
}

extension StartError {
    /// Does something at the start, and says of what fails what it was.
    static func awaited<Value, Failure: Error>(
        _ what: String, _ work: () async throws(Failure) -> Value
    ) async throws(StartError) -> Value {
        do throws(Failure) {
            return try await work()
        } catch {
            throw StartError("\(what): \(error)")
        }
    }

    static func translated<Value, Failure: Error>(
        _ what: String, _ work: () throws(Failure) -> Value
    ) throws(StartError) -> Value {
        do throws(Failure) {
            return try work()
        } catch {
            throw StartError("\(what): \(error)")
        }
    }
}
