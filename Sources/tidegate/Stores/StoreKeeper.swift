import DirectoryStore
import Metadata
import Primitives
import RemoteStore
import Storage
import Synchronization
import Workers

/// What happened to a store, for the log, the audit log and whoever restores shards.
enum StoreEvent: Sendable {
    case attached(StoreSlot)
    /// A new store stands in place of a lost one: its shards are to be restored.
    case replaced(StoreSlot)
    /// It is away; the sentence says why.
    case lost(StoreSlot, String)
    /// It was away before this process began, and is so still; or there never was one in this place.
    case stillAway(StoreSlot, String)
    /// It was away and is back, and may lack what was written meanwhile.
    case returned(StoreSlot)
    /// It reads, but takes no writes.
    case suspect(StoreSlot, String)
}

/// Attaches the stores of the pool at the start, and while the gateway runs takes away those that go and attaches those
/// that come back.
final class StoreKeeper: Sendable {
    private let list: Mutex<[StoreSlot]>
    private let commits: WorkerCommits
    private let deployment: [UInt8]
    private let vault: Mutex<BackendVault?>
    private let environment: any Environment
    private let records: Mutex<[UInt16: StoreRecord]>
    private let report = Mutex(Report())
    /// Slots that were added while the stores are watched.
    private let added = AsyncStream.makeStream(of: StoreSlot.self)

    private struct Report {
        var handler: (@Sendable (StoreEvent) -> Void)?
        /// What happened before there was a handler.
        var waiting: [StoreEvent] = []
    }

    /// How often a store is looked at.
    private static let period = Duration.seconds(1)
    /// How long a store that takes no writes is left so before it is opened afresh.
    private static let suspectPeriod = Duration.seconds(60)

    /// - Parameter arranged: the findings by position.
    init(
        _ arranged: [StoreFinding], records: [UInt16: StoreRecord], commits: WorkerCommits, deployment: [UInt8],
        vault: BackendVault?, environment: any Environment
    ) {
        let slots = arranged.enumerated().map { StoreSlot(position: $0.offset, place: $0.element.place) }
        for slot in slots where records[UInt16(truncatingIfNeeded: slot.position)]?.standing == .detached {
            _ = slot.retire()
        }
        list = Mutex(slots)
        (self.commits, self.deployment, self.environment) = (commits, deployment, environment)
        self.vault = Mutex(vault)
        self.records = Mutex(records)
    }

    /// Every position of the pool, in order.
    var slots: [StoreSlot] { list.withLock { $0 } }

    /// The positions of stores that are to be emptied.
    var draining: Set<Int> {
        Set(records.withLock { $0 }.filter { $0.value.standing == .draining }.map { Int($0.key) })
    }

    /// How much a backend can hold, in bytes; nil where nobody said.
    func capacity(of position: Int) -> Int64? {
        records.withLock { $0[UInt16(truncatingIfNeeded: position)]?.capacity }
    }

    /// Whether a position has no store now.
    func isAway(_ position: Int) -> Bool {
        list.withLock { position < $0.count ? $0[position] : nil }?.absence != nil
    }

    private var currentVault: BackendVault? { vault.withLock { $0 } }

    /// Takes a further position, whose record the index has already, and attaches what is found there.
    ///
    /// - Parameter vault: opens the credentials of backends from now on.
    func add(_ record: StoreRecord, _ backend: BackendRecord, _ vault: BackendVault) async throws(WorkerError)
        -> StoreSlot
    {
        self.vault.withLock { $0 = vault }
        let slot = list.withLock { slots in
            let slot = StoreSlot(position: slots.count, place: .backend(backend))
            slots.append(slot)
            return slot
        }
        records.withLock { $0[UInt16(truncatingIfNeeded: slot.position)] = record }
        try await settle(slot, await StoreFinding.find(slot.place, vault, environment))
        added.continuation.yield(slot)
        return slot
    }

    /// Gives a position up for good.
    func retire(_ position: UInt16) async {
        let slot = list.withLock { Int(position) < $0.count ? $0[Int(position)] : nil }
        await slot?.retire()?.close()
    }

    /// Follows a record that was changed in the index: a backend's credentials count from the next request on.
    func note(_ record: StoreRecord, _ position: UInt16) {
        records.withLock { $0[position] = record }
        guard let slot = list.withLock({ Int(position) < $0.count ? $0[Int(position)] : nil }),
            let backend = record.backend
        else { return }
        slot.place = .backend(backend)
        guard let store = slot.store as? BackendStore, let vault = currentVault else { return }
        do throws(StorageError) {
            store.remote.use(try vault.credentials(of: backend).forSigning)
        } catch {
            // The store goes on with what it has; the next look at a store that is away tells why.
        }
    }

    /// Where events go, those of the start included.
    func onEvent(_ handler: @escaping @Sendable (StoreEvent) -> Void) {
        let waiting = report.withLock { report in
            defer { report = Report(handler: handler) }
            return report.waiting
        }
        for event in waiting { handler(event) }
    }

    private func tell(_ event: StoreEvent) {
        let handler = report.withLock { report in
            if report.handler == nil { report.waiting.append(event) }
            return report.handler
        }
        handler?(event)
    }

    /// Attaches what was found at the start.
    func attach(_ arranged: [StoreFinding]) async throws(WorkerError) {
        for (slot, finding) in zip(slots, arranged) where !slot.isGone {
            let isTold = try await settle(slot, finding)
            if !isTold, let reason = slot.absence { tell(.stillAway(slot, reason)) }
        }
    }

    /// Does with a finding what is to be done, and tells what came of it.
    ///
    /// - Returns: Whether there was something to tell.
    @discardableResult
    private func settle(_ slot: StoreSlot, _ finding: StoreFinding) async throws(WorkerError) -> Bool {
        let position = UInt16(truncatingIfNeeded: slot.position)
        let known = records.withLock { $0[position] }
        switch StoreStep(finding, expecting: known.map { ($0.id, $0.isMountPoint) }, deployment: deployment) {
        case .wait(let reason): return try await leave(slot, position, known, reason)
        case .attach:
            guard let identity = finding.identity else { return false }
            let store: any AttachedStore
            do throws(StorageError) {
                store = try await finding.open(currentVault, environment)
            } catch {
                return try await leave(slot, position, known, error.description)
            }
            do throws(WorkerError) {
                try await register(position, finding, identity, known)
            } catch {
                await store.close()
                throw error
            }
            slot.attach(store)
            tell(known?.isAway == true ? .returned(slot) : .attached(slot))
            return true
        case .create(let replaces):
            do throws(StorageError) {
                try await create(slot, position, finding, replaces ? nil : known)
                tell(replaces ? .replaced(slot) : .attached(slot))
                return true
            } catch {
                _ = slot.detach("no store could be made there: \(error)")
                return false
            }
        }
    }

    /// Leaves a slot without a store, until what is found changes.
    ///
    /// - Returns: Whether that was news.
    private func leave(
        _ slot: StoreSlot, _ position: UInt16, _ known: StoreRecord?, _ reason: String
    ) async throws(WorkerError) -> Bool {
        let wasAttached = slot.detach(reason) != nil
        guard var known, !known.isAway else { return false }
        known.isAway = true
        try await put(known, position)
        if !wasAttached { tell(.lost(slot, reason)) }
        return !wasAttached
    }

    /// Makes a store, says whose it is, and attaches it.
    private func create(
        _ slot: StoreSlot, _ position: UInt16, _ finding: StoreFinding, _ known: StoreRecord?
    ) async throws(StorageError) {
        guard var identity = StoreIdentity(newStoreOf: deployment, environment: environment) else {
            throw .unavailable("the deployment's id is malformed")
        }
        // A backend got its id when it was attached; it may have come no further.
        if finding.place.backend != nil, let id = known?.id ?? records.withLock({ $0[position]?.id }) {
            identity = StoreIdentity(deployment: deployment, store: id) ?? identity
        }
        let store = try await finding.open(identity.store, creating: true, currentVault, environment)
        do throws(StorageError) {
            var found = finding
            if case .directory(let path) = finding.place { found.inspection = try await DirectoryStore.inspect(path) }
            do throws(WorkerError) {
                try await register(position, found, identity, known)
            } catch {
                throw .unavailable("it could not be registered: \(error)")
            }
            try await store.writeIdentity(identity)
            slot.attach(store)
        } catch {
            await store.close()
            throw error
        }
    }

    /// Notes in the index which store is meant by a position.
    private func register(
        _ position: UInt16, _ finding: StoreFinding, _ identity: StoreIdentity, _ known: StoreRecord?
    ) async throws(WorkerError) {
        var record = StoreRecord(
            id: identity.store, place: finding.path, isMountPoint: finding.inspection?.isMountPoint ?? false,
            attached: known?.attached ?? environment.now(), backend: finding.place.backend)
        // What was decided of the position holds for whatever stands there.
        if let decided = records.withLock({ $0[position] }) {
            (record.standing, record.weight, record.capacity) = (decided.standing, decided.weight, decided.capacity)
        }
        if record != known { try await put(record, position) }
    }

    private func put(_ record: StoreRecord, _ position: UInt16) async throws(WorkerError) {
        _ = try await commits.commit([], [.put(Keys.store(position), record.encoded)])
        records.withLock { $0[position] = record }
    }

    /// Notes that a store is away, so that its return is noticed by whichever process comes then.
    private func noteAway(_ slot: StoreSlot) async {
        let position = UInt16(truncatingIfNeeded: slot.position)
        guard var known = records.withLock({ $0[position] }), !known.isAway else { return }
        known.isAway = true
        do throws(WorkerError) {
            try await put(known, position)
        } catch {
            // The store is looked at again and again: the next look notes it.
        }
    }

    // MARK: While the gateway runs

    /// Looks at every store again and again until it is cancelled.
    func watch() async {
        await withTaskGroup(of: Void.self) { group in
            for slot in slots where !slot.isGone { group.addTask { await self.watch(slot) } }
            for await slot in added.stream { group.addTask { await self.watch(slot) } }
        }
    }

    private func watch(_ slot: StoreSlot) async {
        var suspectSince: UInt64?
        while !Task.isCancelled {
            do throws(CancellationError) {
                try await environment.sleep(for: Self.period)
            } catch {
                return
            }
            guard !slot.isGone else { return }
            guard let store = slot.store else {
                await tryToAttach(slot)
                continue
            }
            if let reason = await store.absence() {
                await slot.detach(reason)?.close()
                await noteAway(slot)
                tell(.lost(slot, reason))
                suspectSince = nil
                continue
            }
            if let reason = store.suspicion {
                let since = suspectSince ?? environment.monotonicNanoseconds()
                if suspectSince == nil { tell(.suspect(slot, reason)) }
                suspectSince = since
                let waited = Duration.nanoseconds(Int64(clamping: environment.monotonicNanoseconds() &- since))
                guard waited >= Self.suspectPeriod else { continue }
                suspectSince = nil
                await slot.detach("it is opened afresh after a failed sync")?.close()
                await noteAway(slot)
                await tryToAttach(slot)
            }
        }
    }

    private func tryToAttach(_ slot: StoreSlot) async {
        let finding = await StoreFinding.find(slot.place, currentVault, environment)
        do throws(WorkerError) {
            try await settle(slot, finding)
        } catch {
            _ = slot.detach("it could not be registered: \(error)")
        }
    }

    func close() async {
        for slot in slots { await slot.detach("the gateway is stopping")?.close() }
    }
}
