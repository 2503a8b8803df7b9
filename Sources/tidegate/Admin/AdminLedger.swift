import Audit
import Gateway
import Policy
import Primitives
import S3Model

/// What the audit log is told of one request to the management interface.
struct AdminLedger: Sendable {
    private let gateway: Gateway
    private let request: IncomingRequest
    private let id: String
    private let received: Timestamp
    private let started: UInt64
    /// Who asks, once that is known.
    var caller: Caller?
    var asked: AdminRequest?
    /// The statements that decided.
    var statements: [String] = []

    init(_ gateway: Gateway, _ request: IncomingRequest) {
        (self.gateway, self.request) = (gateway, request)
        id = gateway.environment.eventID()
        received = gateway.environment.now()
        started = gateway.environment.monotonicNanoseconds()
    }

    /// Makes the record of a deed, for the commit that does it.
    var recording: BackendDesk.Recording {
        { [self] _, parameters in AuditRecord(event(parameters)) }
    }

    /// Records a request that changed nothing.
    func read() async throws(BackendError) {
        do throws(S3Error) {
            try await Recorder(gateway).record(event())
        } catch {
            throw BackendError(.unavailable, "The audit log takes no records.")
        }
    }

    /// Records a refusal. Those of a noisy source that says not who it is are counted instead.
    ///
    /// - Returns: What is answered where the log takes no record; nil where it did.
    func refuse(_ refusal: AdminRefusal) async -> AdminRefusal? {
        let recorder = Recorder(gateway)
        guard recorder.isRecorded(caller, from: request.peerAddress) else { return nil }
        var event = event()
        (event.errorCode, event.errorMessage) = (refusal.code, refusal.message)
        do throws(S3Error) {
            try await recorder.record(event)
            return nil
        } catch {
            return AdminRefusal(503, "ServiceUnavailable", "The audit log takes no records.")
        }
    }

    private func event(_ parameters: [String: String] = [:]) -> AuditEvent {
        let caller = caller ?? .unknown
        var event = AuditEvent(
            eventID: id, requestID: id, eventTime: received, eventName: asked?.operation.rawValue ?? "Unknown",
            eventSource: "tidegate", awsRegion: gateway.settings.region, sourceIPAddress: request.peerAddress,
            userAgent: request.head.fields["user-agent"], userIdentity: caller.auditIdentity,
            requestParameters: parameters, readOnly: asked?.operation.isReadOnly ?? true)
        if let name = asked?.backend {
            event.requestParameters["backend"] = name
            event.resources = [AuditResource(arn: asked?.resource ?? "", type: "Tidegate::Backend")]
        }
        event.managementEvent = true
        event.recipientAccountID = caller.principal.accountID
        let taken = gateway.environment.monotonicNanoseconds() &- started
        event.additionalEventData = AuditEventData(
            durationMicroseconds: Int64(clamping: taken / 1000), authenticationMethod: caller.method.rawValue,
            signatureVersion: caller.signatureVersion == nil ? nil : "SigV4", statements: statements)
        return event
    }
}
