import Configuration
import Cryptography
import NIOCore
import Primitives
import RemoteStore
import Signing

/// Asks the management interface of the gateway that serves a deployment, signed with its root key.
struct AdminClient: Sendable {
    /// A probe writes, reads and removes much before it answers.
    private static let patience = Duration.seconds(600)
    private static let mostBytes = 16 << 20

    private let engine: TransferEngine
    private let address: ListenAddress
    private let signer: Signer
    private let environment: any Environment

    init(_ launch: Launch) throws(StartError) {
        let configuration = launch.configuration
        var settings = TransferSettings()
        settings.firstByteTimeout = Self.patience
        guard let engine = TransferEngine(settings, environment: launch.environment) else {
            throw StartError("The system has no thread left.")
        }
        (self.engine, environment) = (engine, launch.environment)
        address = configuration.admin.listen.reachable
        let root = try launch.existingRootKey()
        signer = Signer(
            credentials: SigningCredentials(
                accessKeyID: root.accessKey, secret: SecretKey(root.secretKey.reveal())),
            region: configuration.region, service: AdminAPI.service)
    }

    func close() { engine.close() }

    /// Makes one request.
    ///
    /// - Throws: What the gateway refuses it for; `unavailable` where it does not answer.
    func ask(_ method: String, _ path: String, _ document: [UInt8]? = nil) async throws(BackendError) -> [UInt8] {
        var head = RequestHead(method: method, target: path, fields: ["host": "\(address)"])
        if let document {
            head.fields["content-type"] = "application/json"
            head.fields["content-length"] = String(document.count)
        }
        do throws(SigningError) {
            try signer.sign(
                &head, payload: .sha256(Digest.hash(.sha256, document ?? [])), at: environment.now())
        } catch {
            throw BackendError(.unavailable, error.message)
        }
        let request = TransferRequest(
            origin: "http://\(address)", head: head, contentLength: document.map { Int64($0.count) })
        let (status, body) = try await answer(to: request, document)
        guard status != 200 else { return body }
        throw Self.refusal(status, body)
    }

    private func answer(
        to request: TransferRequest, _ document: [UInt8]?
    ) async throws(BackendError) -> (status: Int, body: [UInt8]) {
        let transfer = engine.start(request)
        do throws(TransferError) {
            if let document { _ = await transfer.send(ByteBuffer(bytes: document)) }
            transfer.finishSending()
            let head = try await transfer.head()
            var body: [UInt8] = []
            while let bytes = try await transfer.next() {
                body += bytes.readableBytesView
                guard body.count <= Self.mostBytes else { throw TransferError.malformed("the answer is too long") }
            }
            return (head.status, body)
        } catch {
            await transfer.abandon()
            throw BackendError(
                .unavailable,
                "Another process has the index open, and no gateway answers at http://\(address) (admin.listen): "
                    + "\(error)")
        }
    }

    private struct Refusal: Decodable {
        var code: String
        var message: String
    }

    private static func refusal(_ status: Int, _ body: [UInt8]) -> BackendError {
        let kind: BackendError.Kind =
            switch status {
            case 404: .unknown
            case 409: .conflict
            case 422: .refused
            case 400..<500: .invalid
            default: .unavailable
            }
        do throws(BackendError) {
            return BackendError(kind, try AdminJSON.decode(Refusal.self, body).message)
        } catch {
            return BackendError(kind, "The gateway answered with the status \(status).")
        }
    }
}

/// The backends of a deployment that a gateway serves.
struct LiveBackends: BackendAccess {
    let client: AdminClient
    var isLive: Bool { true }

    private static let path = "\(AdminRequest.prefix)backends"
    private static let rebalancePath = "\(AdminRequest.prefix)\(AdminRequest.rebalance)"
    private static let recoveryKeyPath = "\(AdminRequest.prefix)recovery-key"

    func list() async throws(BackendError) -> [BackendView] {
        try AdminJSON.decode([BackendView].self, try await client.ask("GET", Self.path))
    }

    func durability() async throws(BackendError) -> DurabilityView {
        try AdminJSON.decode(
            DurabilityView.self, try await client.ask("GET", "\(AdminRequest.prefix)\(AdminRequest.durability)"))
    }

    func attach(_ declaration: BackendDeclaration) async throws(BackendError) -> BackendView {
        try view(await client.ask("POST", Self.path, try AdminJSON.encode(declaration)))
    }

    func probe(_ name: String) async throws(BackendError) -> BackendView {
        try view(await client.ask("POST", "\(Self.path)/\(try checked(name))/probe"))
    }

    func rotate(_ name: String, _ credentials: BackendCredentials) async throws(BackendError) -> BackendView {
        let document = BackendDeclaration.Credentials(
            accessKey: credentials.accessKey, secretKey: credentials.secret.reveal(),
            sessionToken: credentials.sessionToken?.reveal())
        return try view(
            await client.ask("PUT", "\(Self.path)/\(try checked(name))/credentials", try AdminJSON.encode(document)))
    }

    func drain(_ name: String) async throws(BackendError) -> BackendView {
        try view(await client.ask("POST", "\(Self.path)/\(try checked(name))/drain"))
    }

    func detach(_ name: String) async throws(BackendError) -> BackendView {
        try view(await client.ask("DELETE", "\(Self.path)/\(try checked(name))"))
    }

    func stores() async throws(BackendError) -> [PoolStoreView] {
        try AdminJSON.decode(
            [PoolStoreView].self, try await client.ask("GET", "\(AdminRequest.prefix)\(AdminRequest.stores)"))
    }

    func weigh(_ name: String, _ weight: Int) async throws(BackendError) -> PoolStoreView {
        let name = PoolStoreView.isPosition(name) ? name : try checked(name)
        let document = try AdminJSON.encode(BackendDesk.WeightDocument(weight: weight))
        return try AdminJSON.decode(
            PoolStoreView.self, try await client.ask("PUT", "\(Self.path)/\(name)/weight", document))
    }

    func rebalancing() async throws(BackendError) -> RebalanceView { try await rebalance(by: "GET") }

    func rebalance() async throws(BackendError) -> RebalanceView { try await rebalance(by: "PUT") }

    func stopRebalance() async throws(BackendError) -> RebalanceView { try await rebalance(by: "DELETE") }

    private func rebalance(by method: String) async throws(BackendError) -> RebalanceView {
        try AdminJSON.decode(RebalanceView.self, try await client.ask(method, Self.rebalancePath))
    }

    func limit(_ name: String, _ bytes: Int64) async throws(BackendError) -> PoolStoreView {
        let document = try AdminJSON.encode(BackendDesk.CapacityDocument(capacity: bytes))
        return try AdminJSON.decode(
            PoolStoreView.self, try await client.ask("PUT", "\(Self.path)/\(try checked(name))/capacity", document))
    }

    func recoveryKey() async throws(BackendError) -> RecoveryKeyView {
        try AdminJSON.decode(RecoveryKeyView.self, try await client.ask("GET", Self.recoveryKeyPath))
    }

    func renewRecoveryKey(_ document: RecoverySealDocument) async throws(BackendError) -> RecoveryKeyView {
        let answer = try await client.ask("PUT", Self.recoveryKeyPath, try AdminJSON.encode(document))
        return try AdminJSON.decode(RecoveryKeyView.self, answer)
    }

    private func view(_ bytes: [UInt8]) throws(BackendError) -> BackendView {
        try AdminJSON.decode(BackendView.self, bytes)
    }

    /// A name that can stand in a path.
    private func checked(_ name: String) throws(BackendError) -> String {
        guard BackendDeclaration.isName(name) else { throw BackendError(.unknown, "There is no backend `\(name)`.") }
        return name
    }
}
