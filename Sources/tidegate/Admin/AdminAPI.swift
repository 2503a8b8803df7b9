import Audit
import Gateway
import Identity
import NIOCore
import Policy
import Primitives
import Signing

/// The management interface on the admin port: JSON, signed with signature version 4 for the service `tidegate`,
/// decided by policies (`tidegate:*`), and recorded like every other request.
///
/// A signature for S3 is none here, and the other way round: a URL that somebody presigned for an object must not
/// become a deed of its signer's.
struct AdminAPI: Sendable {
    /// What signatures are for.
    static let service = "tidegate"
    /// The most bytes of a document: a declaration with its certificates and a CRUSH map.
    private static let documentLimit = 4 << 20

    private let gateway: Gateway
    private let authenticator: Authenticator
    private let desk: BackendDesk
    private let durability: DurabilityDesk

    /// - Parameter authenticator: for the service `tidegate`.
    init(_ gateway: Gateway, _ authenticator: Authenticator, _ desk: BackendDesk, _ durability: DurabilityDesk) {
        (self.gateway, self.authenticator) = (gateway, authenticator)
        (self.desk, self.durability) = (desk, durability)
    }

    /// Whether a path belongs to it.
    static func serves(_ head: RequestHead) -> Bool { head.rawPath.utf8.starts(with: AdminRequest.prefix.utf8) }

    func answer(_ request: IncomingRequest, body: consuming Body) async -> (head: ResponseHead, body: [UInt8]) {
        var ledger = AdminLedger(gateway, request)
        do throws(AdminRefusal) {
            return (Self.head(200), try await serve(request, body: body, &ledger))
        } catch {
            var refusal = error
            if let unrecorded = await ledger.refuse(refusal) { refusal = unrecorded }
            var head = Self.head(refusal.status)
            for field in refusal.fields.fields { head.fields[field.name] = field.value }
            let body = #"{"code":\#(Self.quoted(refusal.code)),"message":\#(Self.quoted(refusal.message))}"# + "\n"
            return (head, Array(body.utf8))
        }
    }

    private func serve(
        _ request: IncomingRequest, body: consuming Body, _ ledger: inout AdminLedger
    ) async throws(AdminRefusal) -> [UInt8] {
        let authenticated: AuthenticatedRequest
        do throws(SigningError) {
            authenticated = try authenticator.authenticate(
                request.head, bucketOfHost: nil, at: gateway.environment.now())
        } catch {
            throw AdminRefusal(error.status, error.code, error.message)
        }
        let caller = Caller(authenticated)
        guard !caller.isAnonymous else { throw .accessDenied }
        ledger.caller = caller
        guard caller.method == .header, caller.signatureVersion == .version4 else {
            throw AdminRefusal(403, "AccessDenied", "A signature of version 4 in the header is wanted here.")
        }
        let asked = try AdminRequest(request.head)
        ledger.asked = asked
        guard request.head.rawQuery.utf8.isEmpty else {
            throw AdminRefusal(400, "InvalidRequest", "No parameters are taken here.")
        }
        try authorize(asked, caller, request, &ledger)
        let document = try await document(authenticated, body)
        if !asked.operation.isReadOnly, !gateway.audit.acceptsMutations {
            throw AdminRefusal(503, "ServiceUnavailable", "The audit log takes no records of changes.")
        }
        do throws(BackendError) {
            let answer = try await perform(asked, document, ledger.recording)
            if asked.operation.isReadOnly { try await ledger.read() }
            return answer
        } catch {
            throw AdminRefusal(error)
        }
    }

    private func authorize(
        _ asked: AdminRequest, _ caller: Caller, _ request: IncomingRequest, _ ledger: inout AdminLedger
    ) throws(AdminRefusal) {
        let now = gateway.environment.now()
        let access = Access(
            action: asked.operation.action, resource: asked.resource,
            context: RequestConditions.general(request, caller, at: now))
        let decision = decide(access, by: caller.principal, at: now, under: PolicySet(identity: caller.policies))
        ledger.statements = decision.reasons
        guard decision.allowed else { throw .accessDenied }
    }

    private func document(
        _ request: AuthenticatedRequest, _ body: consuming Body
    ) async throws(AdminRefusal) -> [UInt8] {
        guard case .sha256 = request.payload.mode else {
            throw AdminRefusal(400, "InvalidRequest", "The SHA-256 of the document is to be signed.")
        }
        let wrapped = request.payload.wrap(body)
        do throws(BodyError) {
            return [UInt8](try await wrapped.takeBody().collect(limit: Self.documentLimit).readableBytesView)
        } catch {
            throw AdminRefusal(400, "InvalidRequest", error.description)
        }
    }

    private func perform(
        _ asked: AdminRequest, _ document: [UInt8], _ recording: @escaping BackendDesk.Recording
    ) async throws(BackendError) -> [UInt8] {
        switch (asked.operation, asked.backend) {
        case (.durability, _): return try AdminJSON.encode(try await durability.view())
        case (.list, nil): return try AdminJSON.encode(try await desk.list())
        case (.list, let name?): return try AdminJSON.encode(try await desk.view(named: name))
        case (.attach, _):
            let declaration = try AdminJSON.decode(BackendDeclaration.self, document)
            return try AdminJSON.encode(try await desk.attach(declaration, recording))
        case (.probe, let name?): return try AdminJSON.encode(try await desk.probe(named: name, recording))
        case (.rotate, let name?):
            let credentials = try AdminJSON.decode(BackendDeclaration.Credentials.self, document)
            return try AdminJSON.encode(try await desk.rotate(name, BackendCredentials(credentials), recording))
        case (.drain, let name?): return try AdminJSON.encode(try await desk.drain(name, recording))
        case (.detach, let name?): return try AdminJSON.encode(try await desk.detach(name, recording))
        case (.stores, _): return try AdminJSON.encode(try await desk.stores())
        case (.weigh, let name?):
            let wanted = try AdminJSON.decode(BackendDesk.WeightDocument.self, document)
            return try AdminJSON.encode(try await desk.weigh(name, wanted.weight, recording))
        case (.rebalancing, _): return try AdminJSON.encode(try await desk.rebalancing())
        case (.rebalance, _): return try AdminJSON.encode(try await desk.rebalance(recording))
        case (.stopRebalance, _): return try AdminJSON.encode(try await desk.stopRebalance(recording))
        case (.limit, let name?):
            let wanted = try AdminJSON.decode(BackendDesk.CapacityDocument.self, document)
            return try AdminJSON.encode(try await desk.limit(name, wanted.capacity, recording))
        case (.recoveryKey, _): return try AdminJSON.encode(try await desk.recoveryKey())
        case (.renewRecoveryKey, _):
            let sealed = try AdminJSON.decode(RecoverySealDocument.self, document)
            return try AdminJSON.encode(try await desk.renewRecoveryKey(sealed, recording))
        case (_, nil): throw BackendError(.unknown, "A backend is to be named.")
        }
    }

    private static func head(_ status: Int) -> ResponseHead {
        ResponseHead(status: status, fields: ["content-type": "application/json", "cache-control": "no-store"])
    }

    private static func quoted(_ text: String) -> String {
        var quoted = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): quoted += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): quoted += "\\n".utf8
            case 0..<0x20: quoted += "\\u00\(Hex.encode([byte]))".utf8
            default: quoted.append(byte)
            }
        }
        return String(decoding: quoted + [UInt8(ascii: "\"")], as: UTF8.self)
    }
}
