import Audit
import Gateway
import IndexBackup
import Metadata
import Pools
import Primitives
import Storage
import Synchronization
import TidegateTesting
import Workers

/// A deployment in a simulation: what lasts, the process that serves from it now, and what its clients saw.
final class SimulatedWorld: Sendable {
    /// A time in which something is wrong, in steps of the simulation: nothing is held against a request that fails in
    /// it.
    struct Impairment: Sendable {
        var from: Int
        var to: Int?
    }

    private struct State {
        var index: SimulatedIndex
        var process: SimulatedProcess?
        /// The lane of the process that starts or runs.
        var lane: SeededScheduler.Lane?
        var impairments: [Impairment] = []
        var operations: [Operation] = []
        var violations: [String] = []
        var generator: CallGenerator
        var gatewayEpochs: Set<UInt32> = []
        var indexLosses = 0
        var needsRecovery = false
        var kills = 0
        /// Transactions of indexes that were lost.
        var earlier: [(transaction: Transaction, version: CommitVersion)] = []
        /// What the gateway told its operator of failures, by the ids of requests.
        var reasons: [String: String] = [:]
        var begun = 0
    }

    let host: SimulatedHost
    let stores: [SimulatedStore]
    let log: SimulatedLogDisk
    let shape: SimulatedProcess.Shape
    private let deployment: [UInt8]
    private let state: Mutex<State>

    init(seed: UInt64, shape: SimulatedProcess.Shape) {
        host = SimulatedHost(seed: seed)
        self.shape = shape
        let deployment = host.environment.randomBytes(16)
        self.deployment = deployment
        stores = (0..<(shape.data + shape.parity)).map { [host] number in
            SimulatedStore(
                number, identity: StoreIdentity(newStoreOf: deployment, environment: host.environment), host)
        }
        log = SimulatedLogDisk(host)
        state = Mutex(
            State(index: SimulatedIndex(MemoryIndex(), host), generator: CallGenerator(seed: seed &* 7 &+ 5)))
    }

    var index: SimulatedIndex { state.withLock { $0.index } }
    /// What clients did so far, each with the place of its commit.
    var operations: [Operation] {
        var operations = state.withLock { $0.operations }
        var (places, recovered): ([String: Int], [Int: Int]) = ([:], [:])
        for (transaction, version) in committed {
            if let agent = Self.agent(transaction) {
                places[agent] = Int(version)
            } else {
                for tag in Self.recovered(transaction) where recovered[tag] == nil { recovered[tag] = Int(version) }
            }
        }
        for position in operations.indices {
            let tag = operations[position].answer == nil ? operations[position].call.tag : nil
            operations[position].commit = tag.flatMap { recovered[$0] } ?? places[operations[position].agent]
        }
        return operations
    }

    /// Every transaction that an index of this deployment took, in order, with its version.
    var committed: [(transaction: Transaction, version: CommitVersion)] {
        state.withLock { $0.earlier + $0.index.committed }
    }

    /// What the gateway told its operator of why an operation failed.
    func reason(_ operation: Operation) -> String {
        operation.requestID.flatMap { id in state.withLock { $0.reasons[id] } } ?? "for no reason told"
    }

    /// What is around the number of an operation in the name that its client gives itself.
    private static let agentMark = UInt8(ascii: "~")

    /// Who asked for what a transaction does, as its audit record has it.
    private static func agent(_ transaction: Transaction) -> String? {
        for case .put(let key, let value) in transaction.mutations where key.first == Keys.outboxPartition {
            // Nothing else in a record of the simulation has this byte twice.
            guard let mark = value.firstIndex(of: agentMark),
                let end = value[(mark + 1)...].firstIndex(of: agentMark)
            else { continue }
            return String(decoding: value[mark...end], as: UTF8.self)
        }
        return nil
    }

    /// What the objects were written with that a recovery brings back by a transaction.
    private static func recovered(_ transaction: Transaction) -> [Int] {
        transaction.mutations.compactMap { mutation in
            guard case .put(let key, let value) = mutation, let letter = Keys.letter(ofRoom: key),
                [UInt8(ascii: "l"), UInt8(ascii: "v")].contains(letter),
                let record = try? VersionRecord(encoded: value), record.recovered != nil
            else { return nil }
            return record.metadata["tag"].flatMap { Int($0) }
        }
    }

    var violations: [String] { state.withLock { $0.violations } }
    var impairments: [Impairment] { state.withLock { $0.impairments } }
    var gatewayEpochs: Set<UInt32> { state.withLock { $0.gatewayEpochs } }
    /// Operations that clients have begun.
    var begun: Int { state.withLock { $0.begun } }
    var hasLostIndex: Bool { state.withLock { $0.indexLosses > 0 } }

    func violated(_ law: String) {
        state.withLock { $0.violations.append(law) }
    }

    // MARK: What is wrong

    func impair() -> Int {
        let now = host.scheduler.taken
        return state.withLock { state in
            state.impairments.append(Impairment(from: now))
            return state.impairments.count - 1
        }
    }

    func recovered(_ impairment: Int) {
        let now = host.scheduler.taken
        state.withLock { $0.impairments[impairment].to = now }
    }

    // MARK: Processes

    /// The process that serves, once there is one.
    func ready() async -> SimulatedProcess {
        while true {
            if let process = state.withLock({ $0.process }) { return process }
            await host.wait(.milliseconds(2))
        }
    }

    /// Ends the process, or the one that is about to start, between two of its steps.
    func kill() {
        let lane = state.withLock { state in
            state.process = nil
            state.kills += 1
            defer { state.lane = nil }
            return state.lane
        }
        lane?.die()
    }

    /// Loses the disk of the index with its process: the next one recovers it.
    func loseIndex() {
        state.withLock { state in
            state.needsRecovery = true
            state.indexLosses += 1
        }
    }

    /// Whether the index is gone, and not brought back yet.
    var isRecovering: Bool { state.withLock { $0.needsRecovery } }

    /// Starts a process after a while, and tries again for as long as what is beneath does not let it. Where another
    /// one is killed meanwhile, it is for whoever does that to start one.
    ///
    /// - Parameter works: whether its workers run beside requests.
    func start(after pause: Duration = .zero, works: Bool = true) async {
        let kills = state.withLock { $0.kills }
        await host.wait(pause)
        while true {
            let lane = host.scheduler.lane()
            let recovers: Bool? = state.withLock { state in
                guard state.kills == kills else { return nil }
                state.lane = lane
                if state.needsRecovery {
                    // What another attempt got half done is of no use.
                    state.earlier += state.index.committed
                    state.index = SimulatedIndex(MemoryIndex(), host)
                }
                return state.needsRecovery
            }
            guard let recovers else { return }
            let process: SimulatedProcess?? = await lane.run { [self] in
                do {
                    return try await open(on: lane, recovering: recovers)
                } catch {
                    return nil
                }
            }
            guard let process else { return }  // It was killed.
            if let process { return serve(process, works: works) }
            lane.die()
            await host.wait(.milliseconds(20))
        }
    }

    private func serve(_ process: SimulatedProcess, works: Bool) {
        if works { _ = process.lane.start { await process.work() } }
        state.withLock { state in
            state.needsRecovery = false
            state.process = process
            state.gatewayEpochs.insert(process.session.gateway)
        }
    }

    private func open(on lane: SeededScheduler.Lane, recovering: Bool) async throws -> SimulatedProcess {
        let index = self.index
        let keeper = EpochKeeper(index: index, environment: host.environment, node: SimulatedAuditLog.node)
        let patience = StorePatience(host.environment, launcher: TaskLauncher { lane.start($0) })
        let ground = SimulatedProcess.Ground(
            host: host, index: index, stores: stores, log: log, shape: shape, deployment: deployment
        ) { [self] observation in
            guard let reason = observation.reason else { return }
            state.withLock { $0.reasons[observation.requestID] = reason }
        }
        guard recovering else {
            let session = try await keeper.begin(deployment: deployment)
            return try SimulatedProcess(ground, on: lane, session: session) { _ in }
        }
        let report = try await IndexRecovery.restore(from: stores, into: index.memory, patience: patience)
        let highest = stores.flatMap(\.names).map(\.epoch).max() ?? 0
        let session = try await keeper.begin(
            above: max(report.highestEpoch, highest), deployment: deployment, isRecovered: true)
        let process = try SimulatedProcess(ground, on: lane, session: session) { _ in }
        var segments = JournalledSegments()
        let floor = try await IndexRecovery.reviewJournal(
            of: stores, through: report.completeThrough, limit: TailRecovery.Limits().commits, patience: patience
        ) { segments.note($0) }
        let knowledge = JournalKnowledge(
            through: report.completeThrough, floor: floor, segments: segments,
            writers: LostWriters(live: session.ended, unknown: session.unknown))
        var tail = TailReport()
        try await TailRecovery(
            index, commits: process.gateway.commits, pool: process.pool, environment: host.environment,
            region: SimulatedProcess.region
        ).run(knowledge, &tail)
        return process
    }

    // MARK: Clients

    /// One operation of a client, against whatever process serves.
    func operate(_ client: Int, _ call: Call? = nil) async {
        let process = await ready()
        let (call, number) = state.withLock { state in
            state.begun += 1
            return (call ?? state.generator.next(), state.begun)
        }
        let agent = "~\(number)~"
        // Long enough for what is read to be replaced and collected meanwhile.
        let isSlow = host.chance(0.2)
        let caller = SimulatedClient(process: process, environment: host.environment, agent: agent) { [host] in
            if isSlow { await host.delay(upTo: .seconds(2)) }
        }
        let invoked = host.scheduler.taken
        let outcome = await process.lane.run { await caller.perform(call) }
        let now = host.scheduler.taken
        var operation = Operation(client: client, call: call, invoked: invoked)
        operation.agent = agent
        if let outcome {
            (operation.answer, operation.status, operation.requestID) = (
                outcome.answer, outcome.status, outcome.requestID
            )
        }
        operation.ended = now
        if operation.answer != nil { operation.returned = now }
        let recorded = operation
        state.withLock { state in
            state.operations.append(recorded)
            state.generator.learn(call, recorded.answer)
            if let breach = outcome?.breach { state.violations.append("\(breach), in \(recorded)") }
        }
    }
}
