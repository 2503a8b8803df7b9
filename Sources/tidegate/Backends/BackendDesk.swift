import Audit
import Configuration
import FoundationEssentials
import Metadata
import Pools
import Primitives
import RemoteStore
import Storage
import Synchronization
import Workers

/// Where backends are attached, looked at, and taken away: beside a stopped gateway, or in a running one.
///
/// What is decided is one commit of the index, conditional on nothing having come in between, with its audit record; a
/// running gateway then follows it. A crash in between leaves what the next start follows.
final class BackendDesk: Sendable {
    /// Who asks, for the audit log: makes the record of a deed.
    typealias Recording = @Sendable (_ action: String, _ parameters: [String: String]) -> AuditRecord

    let launch: Launch
    private let index: any MetadataIndex
    let commits: WorkerCommits
    let deploymentID: [UInt8]
    /// The gateway that runs; nil beside a stopped one.
    let live: Deployment?
    /// Whether a change is under way.
    private let isBusy = Atomic<Bool>(false)

    init(
        _ launch: Launch, index: any MetadataIndex, commits: WorkerCommits, deploymentID: [UInt8], live: Deployment?
    ) {
        (self.launch, self.index, self.commits) = (launch, index, commits)
        (self.deploymentID, self.live) = (deploymentID, live)
    }

    convenience init(_ deployment: Deployment) {
        self.init(
            deployment.launch, index: deployment.index, commits: deployment.commits,
            deploymentID: deployment.session.deployment.id, live: deployment)
    }

    // MARK: Looking

    /// Every backend, by position.
    func list() async throws(BackendError) -> [BackendView] {
        let registry = try await registry()
        let stores = registry.stores.sorted { $0.key < $1.key }.compactMap { position, store in
            store.backend.map { view(position, store, $0) }
        }
        return stores + registry.sources.sorted { $0.key < $1.key }.map { sourceView($0.key, $0.value) }
    }

    func view(named name: String) async throws(BackendError) -> BackendView {
        if let source = try await findSource(name) { return sourceView(source.number, source.record) }
        let (position, store, record) = try await find(name)
        return view(position, store, record)
    }

    private func view(_ position: UInt16, _ store: StoreRecord, _ record: BackendRecord) -> BackendView {
        let slots = live?.keeper.slots ?? []
        let absence = Int(position) < slots.count ? slots[Int(position)].absence : nil
        var view = BackendView(position, store, record, absence: absence)
        let told = storeView(position, store)
        (view.usedBytes, view.capacityBytes) = (told.usedBytes, told.capacityBytes)
        (view.usedPercent, view.fill) = (told.usedPercent, told.fill)
        view.firstCellMilliseconds = live?.pool.answerTime(ofStore: Int(position)).map { $0 / .milliseconds(1) }
        if store.standing == .draining { view.left = live?.emptying.left }
        return view
    }

    func registry() async throws(BackendError) -> StoreRegistry {
        do throws(StartError) {
            return try await StoreRegistry.read(index)
        } catch {
            throw BackendError(.unavailable, error.description)
        }
    }

    func find(
        _ name: String
    ) async throws(BackendError) -> (position: UInt16, store: StoreRecord, backend: BackendRecord) {
        for (position, store) in try await registry().stores where store.standing != .detached {
            if let backend = store.backend, backend.name.utf8.elementsEqual(name.utf8) {
                return (position, store, backend)
            }
        }
        guard try await findSource(name) == nil else {
            throw .invalid("`\(name)` is an adopted bucket and no store; it can be drained and detached.")
        }
        throw BackendError(.unknown, "There is no backend `\(name)`.")
    }

    // MARK: Changing

    /// Does one change at a time.
    ///
    /// - Throws: `conflict` while another is under way.
    func alone<Value>(_ change: () async throws(BackendError) -> Value) async throws(BackendError) -> Value {
        guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
            throw BackendError(.conflict, "Another change of the backends is under way.")
        }
        defer { isBusy.store(false, ordering: .releasing) }
        return try await change()
    }

    /// The vault of this deployment, whose key is drawn where there is none.
    func vault() throws(BackendError) -> BackendVault {
        do throws(PrivateFileError) {
            let key = try SealingKey.loadOrCreate(in: launch.configuration.data, environment: launch.environment)
            return BackendVault(key, environment: launch.environment)
        } catch {
            throw BackendError(.unavailable, "The sealing key cannot be used: \(error).")
        }
    }

    /// Looks at an attached backend again, and keeps what was found.
    func probe(named name: String, _ recording: Recording) async throws(BackendError) -> BackendView {
        let (position, store, record) = try await find(name)
        let (vault, credentials): (BackendVault, BackendCredentials)
        vault = try self.vault()
        do throws(StorageError) {
            credentials = try vault.credentials(of: record)
        } catch {
            throw BackendError(.unavailable, "\(name): \(error)")
        }
        let report = await probe(record, credentials)
        var changed = store
        changed.backend = Self.noting(report, in: record, at: launch.environment.now())
        try await replace(position, store, changed, recording("ProbeBackend", Self.parameters(record, position)))
        return try await view(named: name)
    }

    func probe(_ record: BackendRecord, _ credentials: BackendCredentials) async -> ProbeReport {
        do throws(RemoteSettingError) {
            let probe = BackendProbe(
                name: record.name, endpoint: try RemoteEndpoint(record), credentials: credentials.forSigning,
                settings: RemoteStoreSettings(record), environment: launch.environment)
            return await probe.run()
        } catch {
            return ProbeReport(
                findings: [ProbeFinding(ability: .reach, verdict: .refused, detail: error.description)],
                abilities: BackendAbilities())
        }
    }

    /// Replaces a store's record, unless it was changed meanwhile.
    func replace(
        _ position: UInt16, _ known: StoreRecord, _ next: StoreRecord, _ record: AuditRecord
    ) async throws(BackendError) {
        let key = Keys.store(position)
        let entry = try await entry(key)
        guard let entry, entry.value == known.encoded else {
            throw BackendError(.conflict, "The backend was changed meanwhile; look at it again.")
        }
        try await commit([.version(key, entry.version)], [.put(key, next.encoded)], [record])
        live?.keeper.note(next, position)
    }

    func entry(_ key: Key) async throws(BackendError) -> Entry? {
        do throws(MetadataError) {
            return try await index.values(of: [key])[0]
        } catch {
            throw BackendError(.unavailable, "The index: \(error)")
        }
    }

    func commit(
        _ conditions: [Condition], _ mutations: [Mutation], _ records: [AuditRecord]
    ) async throws(BackendError) {
        do throws(WorkerError) {
            _ = try await commits.commit(conditions, mutations, records: records)
        } catch .index(.conflict) {
            throw BackendError(.conflict, "The stores were changed meanwhile; try again.")
        } catch {
            throw BackendError(.unavailable, "The index: \(error)")
        }
        BackendsFile.write(try await registry(), launch)
    }

    // MARK: What is told

    static func parameters(_ record: BackendRecord, _ position: UInt16) -> [String: String] {
        [
            "backend": record.name, "store": String(position), "url": record.url, "bucket": record.bucket,
            "prefix": record.prefix,
        ]
    }

    static func noting(_ report: ProbeReport, in record: BackendRecord, at now: Timestamp) -> BackendRecord {
        var record = record
        record.probed = now
        record.findings = report.findings.map {
            BackendRecord.Finding(ability: $0.ability.rawValue, verdict: $0.verdict.rawValue, detail: $0.detail)
        }
        return record
    }
}
