import ArgumentParser
import Audit
import Configuration
import EmbeddedIndex
import FoundationEssentials
import Metadata
import Primitives
import Workers

/// The backends of a deployment, through the gateway that serves it or, where none runs, by this process itself.
protocol BackendAccess: Sendable {
    /// Whether a gateway follows what is done.
    var isLive: Bool { get }

    func list() async throws(BackendError) -> [BackendView]
    func durability() async throws(BackendError) -> DurabilityView
    func attach(_ declaration: BackendDeclaration) async throws(BackendError) -> BackendView
    func probe(_ name: String) async throws(BackendError) -> BackendView
    func rotate(_ name: String, _ credentials: BackendCredentials) async throws(BackendError) -> BackendView
    func drain(_ name: String) async throws(BackendError) -> BackendView
    func detach(_ name: String) async throws(BackendError) -> BackendView
    func stores() async throws(BackendError) -> [PoolStoreView]
    func weigh(_ name: String, _ weight: Int) async throws(BackendError) -> PoolStoreView
    func rebalancing() async throws(BackendError) -> RebalanceView
    func rebalance() async throws(BackendError) -> RebalanceView
    func stopRebalance() async throws(BackendError) -> RebalanceView
    func limit(_ name: String, _ bytes: Int64) async throws(BackendError) -> PoolStoreView
    func recoveryKey() async throws(BackendError) -> RecoveryKeyView
    func renewRecoveryKey(_ document: RecoverySealDocument) async throws(BackendError) -> RecoveryKeyView
}

/// Works on the index beside a stopped gateway.
struct OfflineBackends: BackendAccess {
    let desk: BackendDesk
    let opened: OpenedIndex
    var isLive: Bool { false }

    func list() async throws(BackendError) -> [BackendView] { try await desk.list() }

    func durability() async throws(BackendError) -> DurabilityView {
        let durability: DurabilityDesk
        do throws(StartError) {
            durability = try DurabilityDesk(desk.launch, opened)
        } catch {
            throw BackendError(.unavailable, error.description)
        }
        return try await durability.view()
    }

    func attach(_ declaration: BackendDeclaration) async throws(BackendError) -> BackendView {
        try await desk.attach(declaration, recording)
    }

    func probe(_ name: String) async throws(BackendError) -> BackendView {
        try await desk.probe(named: name, recording)
    }

    func rotate(_ name: String, _ credentials: BackendCredentials) async throws(BackendError) -> BackendView {
        try await desk.rotate(name, credentials, recording)
    }

    func drain(_ name: String) async throws(BackendError) -> BackendView {
        try await desk.drain(name, recording)
    }

    func detach(_ name: String) async throws(BackendError) -> BackendView {
        try await desk.detach(name, recording)
    }

    func stores() async throws(BackendError) -> [PoolStoreView] { try await desk.stores() }

    func weigh(_ name: String, _ weight: Int) async throws(BackendError) -> PoolStoreView {
        try await desk.weigh(name, weight, recording)
    }

    func rebalancing() async throws(BackendError) -> RebalanceView { try await desk.rebalancing() }

    func rebalance() async throws(BackendError) -> RebalanceView { try await desk.rebalance(recording) }

    func stopRebalance() async throws(BackendError) -> RebalanceView { try await desk.stopRebalance(recording) }

    func limit(_ name: String, _ bytes: Int64) async throws(BackendError) -> PoolStoreView {
        try await desk.limit(name, bytes, recording)
    }

    func recoveryKey() async throws(BackendError) -> RecoveryKeyView { try await desk.recoveryKey() }

    func renewRecoveryKey(_ document: RecoverySealDocument) async throws(BackendError) -> RecoveryKeyView {
        try await desk.renewRecoveryKey(document, recording)
    }

    /// Whoever can open the index did it.
    private var recording: BackendDesk.Recording {
        let (environment, region) = (desk.launch.environment, desk.launch.configuration.region)
        return { action, parameters in
            AuditRecord(
                .system(
                    action, id: environment.eventID(), at: environment.now(), region: region, parameters: parameters))
        }
    }
}

/// Opens the backends of a deployment for a command.
enum BackendCommand {
    typealias Work = (any BackendAccess) async throws(BackendError) -> Void

    /// Does the work, and ends with 1 where it fails.
    static func run(_ options: ConfigurationOptions, _ work: Work) async throws {
        let launch = try Launch(options)
        do {
            try launch.makeDataDirectory()
            let opened: OpenedIndex
            do throws(StartError) {
                opened = try await OpenedIndex.open(launch) { reason in
                    StandardError.write("The index cannot be trusted any more: \(reason)\n")
                }
            } catch {
                guard error.isInUse else { throw error }
                return try await ask(launch, work)
            }
            try await workAlone(launch, opened, work)
        } catch {
            StandardError.write("\(error)\n")
            throw ExitCode.failure
        }
    }

    /// Has the gateway do it that has the index open.
    private static func ask(_ launch: Launch, _ work: Work) async throws {
        let client = try AdminClient(launch)
        defer { client.close() }
        try await work(LiveBackends(client: client))
    }

    private static func workAlone(_ launch: Launch, _ opened: OpenedIndex, _ work: Work) async throws {
        let desk = BackendDesk(
            launch, index: opened.embedded,
            commits: WorkerCommits(index: opened.embedded, epoch: opened.session.workers),
            deploymentID: opened.session.deployment.id, live: nil)
        do throws(BackendError) {
            try await work(OfflineBackends(desk: desk, opened: opened))
        } catch {
            await opened.embedded.close()
            throw error
        }
        await opened.embedded.close()
    }
}
