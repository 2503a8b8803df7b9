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
    let capacities: StoreCapacities
    let pool: ErasurePool
    let damage: DamageQueue
    /// Where requests that may want a blob's bytes take a token.
    let horizon = ReadHorizon()
    /// Where requests that may share a blob take a token.
    let sharing = ReadHorizon()
    let claims = BlobClaims()
    let emptying = Emptying()
    let rebalancing = Rebalancing()
    /// What was seen of each store.
    let histories: StoreHistories
    let adopted: AdoptedBuckets
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
        let opened = try await OpenedIndex.open(launch, onSuspect: onSuspect)
        do throws(StartError) {
            return try await assemble(launch, opened)
        } catch {
            await opened.embedded.close()
            throw error
        }
    }

    private static func assemble(_ launch: Launch, _ opened: OpenedIndex) async throws(StartError) -> Deployment {
        let wake = Wake()
        let plain = WorkerCommits(index: opened.embedded, epoch: opened.session.workers) { wake() }
        try StoreArrangement.check(
            launch.configuration.pool, directories: opened.directories.count,
            backends: opened.registry.stores.values.count { $0.backend != nil && $0.standing == .active })
        let arranged = try opened.arranged()
        let keeper = StoreKeeper(
            arranged, records: opened.registry.stores, commits: plain, deployment: opened.session.deployment.id,
            vault: opened.vault, environment: launch.environment)
        do throws(StartError) {
            try await StartError.awaited("The stores") { () throws(WorkerError) in try await keeper.attach(arranged) }
            let current = try await StoreRegistry.read(opened.embedded)
            let wanted = current.wanted(
                of: keeper.slots.count, launch.configuration.pool, node: launch.configuration.node)
            let placements = try await current.placements(wanted, plain)
            let histories = StoreHistories(
                try await StoreHistories.read(opened.embedded), environment: launch.environment)
            histories.watch(keeper.slots.filter { !$0.isGone }.map(\.position))
            let known = (histories, adopted: AdoptedBuckets(current.sources, opened.vault))
            let deployment = try connect(
                launch, opened.embedded, opened.session, keeper, placements, plain, wake, known)
            deployment.backup.leave(current.leaving)
            BackendsFile.write(current, launch)
            return deployment
        } catch {
            await keeper.close()
            throw error
        }
    }

    private static func connect(
        _ launch: Launch, _ embedded: EmbeddedIndex, _ session: WriterSession, _ keeper: StoreKeeper,
        _ placements: [Placement], _ plain: WorkerCommits, _ wake: Wake,
        _ known: (histories: StoreHistories, adopted: AdoptedBuckets)
    ) throws(StartError) -> Deployment {
        let (configuration, environment) = (launch.configuration, launch.environment)
        let damage = DamageQueue(environment: environment)
        let filling = StoreFilling(
            nearlyFullFrom: configuration.pool.warnAbove, fullFrom: configuration.pool.fullAbove)
        let pool = try makePool(
            configuration, keeper.slots, session, placements, damage, environment, filling
        ) { keeper.isAway($0) }
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
            keeper: keeper, capacities: StoreCapacities(filling, keeper, environment: environment), pool: pool,
            damage: damage, histories: known.histories, adopted: known.adopted,
            wake: wake)
    }

    /// The pool over the slots, as it is configured.
    ///
    /// - Parameter filling: how full the stores are; nil where nobody looks.
    static func makePool(
        _ configuration: TidegateConfiguration, _ slots: [StoreSlot], _ session: WriterSession,
        _ placements: [Placement], _ damage: DamageQueue, _ environment: any Environment,
        _ filling: StoreFilling? = nil,
        isAway: @escaping @Sendable (Int) -> Bool
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
        (pool.writeQuorum, pool.hedgeAfter) = (settings.writeQuorum, settings.hedgeAfter)
        (pool.hedgeBudget, pool.stragglerAfter) = (settings.hedgeBudget, settings.stragglerAfter)
        pool.isAway = isAway
        if let filling { pool.isFull = { filling.isFull($0) } }
        let failures = StoreFailures(environment)
        pool.onFailure = { failures.observe($0, $1) }
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
        adopted.close()
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
