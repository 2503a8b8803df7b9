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

/// One seed's deployment, clients and faults, and what the laws say of them.
package struct SimulationRun: Sendable {
    /// What a run is made of.
    package struct Options: Sendable {
        package var clients = 5
        package var operations = 200
        /// Steps after which a run counts as hung.
        package var mostSteps = 20_000_000

        package init() {}
    }

    /// What came of a run.
    package struct Report: Sendable {
        package var seed: UInt64
        package var violations: [String] = []
        package var faults: [Fault] = []
        package var operations = 0
        /// Operations of which no answer told what they did.
        package var open = 0
        package var steps = 0
        /// Whether the search for an order was given up.
        package var isUndecided = false
        /// The history, one operation a line, and the answers in order where no order was found.
        package var history: [String] = []

        package init(seed: UInt64) { self.seed = seed }
    }

    private let seed: UInt64
    private let options: Options
    private let world: SimulatedWorld
    private let driver: FaultDriver
    private let faults: [Fault]

    private init(seed: UInt64, _ options: Options) {
        (self.seed, self.options) = (seed, options)
        var generator = SeededGenerator(seed: seed)
        let (data, parity) = [(2, 1), (2, 2), (3, 2), (4, 2)][Int.random(in: 0..<4, using: &generator)]
        let shape = SimulatedProcess.Shape(
            data: data, parity: parity, cell: 1024, packs: Bool.random(using: &generator),
            isJournalled: Bool.random(using: &generator))
        world = SimulatedWorld(seed: seed, shape: shape)
        driver = FaultDriver(world)
        faults = driver.plan()
    }

    /// Runs a seed on the calling thread.
    package static func run(seed: UInt64, _ options: Options = Options()) -> Report {
        #if PLANTED_BUGS
            StaleListing.forget()
        #endif
        return SimulationRun(seed: seed, options).run()
    }

    private func run() -> Report {
        let isDone = Mutex(false)
        let script = world.host.lane.start { [self] in
            await play()
            isDone.withLock { $0 = true }
        }
        var report = Report(seed: seed)
        let hasEnded = world.host.run(until: { isDone.withLock { $0 } }, mostSteps: options.mostSteps)
        script.cancel()
        report.steps = world.host.scheduler.taken
        report.faults = faults
        report.violations = world.violations
        if !hasEnded { report.violations.append("nothing went on after \(report.steps) steps") }
        let operations = world.operations
        (report.operations, report.open) = (operations.count, operations.count { $0.answer == nil })
        checkAnswers(operations, &report)
        checkAvailability(operations, &report)
        if hasEnded { checkLog(operations, &report) }
        if !report.violations.isEmpty { report.history = operations.map(\.description) + report.history }
        return report
    }

    // MARK: The play

    private func play() async {
        await world.start()
        await createBucket()
        if world.host.chance(0.5) { await world.operate(0, .setVersioning(.enabled)) }
        // Nothing excuses what goes wrong in a half without faults, however long it takes.
        let last = options.operations * (world.host.chance(0.4) ? 9 : 19) / 20
        await withTaskGroup(of: Void.self) { group in
            for client in 1...options.clients { group.addTask { [self] in await live(client) } }
            for fault in faults {
                let due = world.host.number((options.operations / 20)...last)
                group.addTask { [self] in await strike(fault, at: due) }
            }
            await group.waitForAll()
        }
        driver.heal()
        await settle()
    }

    /// What a client does, one call after the other.
    private func live(_ client: Int) async {
        for _ in 0..<(options.operations / options.clients) {
            await world.host.delay(upTo: .milliseconds(world.host.chance(0.05) ? 900 : 30))
            await world.operate(client)
        }
    }

    /// Brings a fault about once so many operations have begun. Faults may last while others strike.
    private func strike(_ fault: Fault, at due: Int) async {
        while world.begun < due { await world.host.wait(.milliseconds(1)) }
        await driver.strike(fault)
    }

    private func createBucket() async {
        var isThere = false
        while !isThere {
            let process = await world.ready()
            let environment = world.host.environment
            isThere =
                await process.lane.run {
                    var head = Request("PUT", nil).head
                    (head.fields["host"], head.fields["content-length"]) = ("gateway.test", "0")
                    do {
                        try SimulatedClient.sign(&head, at: environment.now())
                    } catch {
                        return false
                    }
                    let channel = RecordingChannel()
                    await process.pipeline.handle(
                        IncomingRequest(head: head, peerAddress: "192.0.2.7"), body: Body(buffers: []),
                        response: channel)
                    return channel.transcript.head?.status == 200
                } ?? false
        }
    }

    /// Ends the last process, and has its successor bring everything in order: then nothing may be missing, damaged or
    /// left over.
    private func settle() async {
        world.kill()
        await world.start(works: false)
        let process = await world.ready()
        do {
            try await checkRepairs(process)
            try await bringInOrder(process)
            for key in Set(world.operations.compactMap(\.call.key)).sorted() {
                await world.operate(0, .get(key: key, version: nil, bytes: nil))
                await world.operate(0, .getTags(key: key))
            }
            await world.operate(0, .list)
            await world.operate(0, .listVersions)
            try await process.drainer.drainAll()
            let laws = try await IndexLaws(
                world.index.memory, committed: world.committed.map(\.transaction), epochs: world.gatewayEpochs)
            for violation in laws.violations { world.violated(violation) }
            try await checkLeftovers(process)
        } catch {
            world.violated("settling failed: \(error)")
        }
    }

    private func bringInOrder(_ process: SimulatedProcess) async throws {
        if world.hasLostIndex { try await process.orphans.acceptLoss(records: []) }
        var isWhole = false
        for _ in 0..<8 where !isWhole {
            let found = try await process.scrubber.pass()
            isWhole = found.damagedShards + found.crowdedShards + found.unreachableShards == 0
            try await process.repairAll()
            await world.host.wait(.seconds(150))
        }
        if !isWhole { world.violated("there are damaged shards after repairs: \(await damage(process))") }
        for _ in 0..<12 {
            try await process.backup.flush()
            _ = try await process.trash.pass()
            try await process.repairAll()
            _ = try await process.orphans.pass()
            await world.host.wait(.seconds(1))
        }
    }

    /// What is wrong with which blob.
    private func damage(_ process: SimulatedProcess) async -> String {
        var found: [String] = []
        do {
            for locator in try await locators() {
                let bad = try await process.pool.verify(locator).filter { $0.state != .sound }
                if !bad.isEmpty { found.append("\(locator): \(bad)") }
            }
        } catch {
            found.append("\(error)")
        }
        return found.joined(separator: "; ")
    }

    /// A shard that was written anew was read back: so none is named that its store had kept wrong.
    private func checkRepairs(_ process: SimulatedProcess) async throws {
        for locator in try await locators() {
            for exception in locator.exceptions where exception.attempt > 0 {
                guard let store = exception.store.map({ world.stores[Int($0)] }) else { continue }
                let shard = locator.name.shard(exception.index, attempt: exception.attempt)
                if store.hasLied(about: shard) { world.violated("a repair named \(shard), which was kept wrong") }
            }
        }
    }

    private func checkLeftovers(_ process: SimulatedProcess) async throws {
        let locators = Dictionary(uniqueKeysWithValues: try await locators().map { ($0.name, $0) })
        for store in world.stores {
            for name in store.names where name.kind == .data {
                guard let locator = locators[name.whole], process.pool.isNamed(name, on: store.number, by: locator)
                else {
                    world.violated("store \(store.number) has \(name), which nothing names")
                    continue
                }
            }
        }
        let rows = try await world.index.memory.entries(Keys.blobs("t"))
        if !rows.isEmpty { world.violated("\(rows.count) blobs stay on the trash") }
    }

    private func locators() async throws -> [BlobLocator] {
        try await world.index.memory.entries(Keys.blobs("b")).compactMap { entry in
            guard let name = Keys.blobName(entry.key) else { return nil }
            return try BlobRecord(encoded: entry.value).location.locator(of: name)
        }
    }

    // MARK: The laws

    private func checkAnswers(_ operations: [Operation], _ report: inout Report) {
        let (bytes, telling) = (ContentCache(), operations.filter { $0.answer != nil || $0.call.isMutation })
        // What was never answered and never seen most likely never was.
        let marked = Traces(operations, bytes).mark(telling)
        var all = marked.filter { $0.answer != nil || $0.commit != nil }.flatMap(\.steps)
        let near = LinearizabilityChecker(all, bytes).check()
        if near == .linearizable { return }
        let longest: LinearizabilityChecker.Attempt
        switch LinearizabilityChecker(marked.flatMap(\.steps), bytes).check() {
        case .linearizable: return
        case .undecided(let attempt):
            report.isUndecided = true
            report.violations.append("the answers have no order near that of their commits")
            longest = near.attempt ?? attempt
        case .violated(let attempt):
            report.violations.append("the answers have no order")
            (longest, all) = (attempt, marked.flatMap(\.steps))
        }
        report.history = ["\(longest.length) answers have one, after which the bucket holds"]
        for (key, versions) in longest.state.keys.sorted(by: { $0.key < $1.key }) {
            report.history += versions.map { "  \(key) \($0)" }
        }
        report.history += ["and none of these can follow:"] + longest.stuck.map { all[$0].description }
    }

    /// A request fails only while something is wrong, and no fault makes what the index names go: a store that fails
    /// is said to be away, and one alone loses what it holds.
    private func checkAvailability(_ operations: [Operation], _ report: inout Report) {
        for operation in operations where operation.answer == nil {
            let reason = world.reason(operation)
            if ["storage: a blob is missing", "storage: no such blob"].contains(where: reason.hasPrefix) {
                report.violations.append("no fault explains \(operation), \(reason)")
                continue
            }
            let end = operation.ended ?? .max
            let isExcused = world.impairments.contains { impairment in
                impairment.from <= end && (impairment.to ?? .max) >= operation.invoked
            }
            if !isExcused {
                report.violations.append("failed while nothing was wrong: \(operation), \(world.reason(operation))")
            }
        }
    }

    /// The chain verifies, no record is there twice, and every mutation that was acknowledged has one.
    private func checkLog(_ operations: [Operation], _ report: inout Report) {
        var (previous, ids): ([UInt8], Set<String>) = (ChainLink.origin, [])
        var (requests, agents): (Set<String>, Set<String>) = ([], [])
        for (number, line) in world.log.lines.enumerated() {
            guard let record = LinkedRecord(line: line) else {
                report.violations.append("record \(number) of the log cannot be read")
                return
            }
            if record.link.sequence != UInt64(number) || record.link.previous != previous {
                report.violations.append("the chain breaks at record \(number)")
            }
            previous = record.hash
            if !ids.insert(record.eventID).inserted { report.violations.append("record \(number) is there twice") }
            guard record.isDoneMutation else { continue }
            do {
                let json = try JSON.parse(line)
                if let request = json["requestID"]?.stringValue { requests.insert(request) }
                if let agent = json["userAgent"]?.stringValue { agents.insert(agent) }
            } catch {
                report.violations.append("record \(number) of the log is no JSON: \(error)")
            }
        }
        var completed: Set<String> = []
        for operation in operations where agents.contains(operation.agent) {
            if case .complete(_, let upload, _) = operation.call { completed.insert(upload) }
        }
        for operation in operations where operation.call.isMutation {
            guard case .done = operation.answer, let id = operation.requestID, !requests.contains(id) else { continue }
            // Completing once more changes nothing, and gives the first answer.
            if case .complete(_, let upload, _) = operation.call, completed.contains(upload) { continue }
            report.violations.append("no record of \(operation)")
        }
    }
}

extension Call {
    /// The key that is meant, for calls on one.
    fileprivate var key: String? {
        switch self {
        case .put(let key, _, _, _), .get(let key, _, _), .head(let key, _), .delete(let key, _),
            .createUpload(let key, _), .putPart(let key, _, _, _), .complete(let key, _, _), .abort(let key, _),
            .putTags(let key, _), .getTags(let key):
            key
        case .copy(_, let key, _), .putCopy(let key, _), .readSource(let key, _): key
        case .list, .listVersions, .setVersioning: nil
        }
    }
}
