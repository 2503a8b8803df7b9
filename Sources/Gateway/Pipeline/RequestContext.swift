package import Audit
import Policy
package import Pools
package import Primitives
package import S3Model
package import S3Wire
import Synchronization

/// One request, from its authentication to its record.
package final class RequestContext: Sendable {
    package let id: String
    package let received: Timestamp
    package let startedNanoseconds: UInt64
    package let incoming: IncomingRequest
    package let wire: WireRequest
    package let caller: Caller
    /// Gives a field of the payload's trailer once the payload has ended; nil for a payload without one.
    package let trailer: (@Sendable () -> HeaderFields?)?
    private let state = Mutex(State())

    private struct State {
        /// What the operation is and what it is asked, once that is known.
        var eventName = "Unknown"
        var isReadOnly = true
        var bucket: String?
        var key: ObjectKey?
        var parameters: [String: String] = [:]
        var statements: [String] = []
        var bytesIn: Int64 = 0
        /// Whether a commit has taken the record along.
        var isRecorded = false
        var isUndecided = false
        /// Says that a blob which others share may be referred to yet.
        var sharing: (horizon: ReadHorizon, token: ReadHorizon.Token)?
    }

    package init(
        id: String, received: Timestamp, startedNanoseconds: UInt64, incoming: IncomingRequest, wire: WireRequest,
        caller: Caller, trailer: (@Sendable () -> HeaderFields?)? = nil
    ) {
        self.trailer = trailer
        (self.id, self.received, self.startedNanoseconds) = (id, received, startedNanoseconds)
        (self.incoming, self.wire, self.caller) = (incoming, wire, caller)
        state.withLock { state in
            state.bucket = wire.bucket
            state.key = wire.key
        }
    }

    /// The same request as its form makes it: of another caller, for a key.
    package func resubmitted(_ wire: WireRequest, by caller: Caller) -> RequestContext {
        let context = RequestContext(
            id: id, received: received, startedNanoseconds: startedNanoseconds, incoming: incoming, wire: wire,
            caller: caller)
        let state = state.withLock { $0 }
        context.describe(state.eventName, isReadOnly: state.isReadOnly)
        return context
    }

    /// Names the operation, for the record.
    package func describe(_ eventName: String, isReadOnly: Bool) {
        state.withLock { state in
            state.eventName = eventName
            state.isReadOnly = isReadOnly
        }
    }

    package func note(parameter name: String, _ value: String) {
        state.withLock { $0.parameters[name] = value }
    }

    package func note(statements: [String]) {
        state.withLock { $0.statements.append(contentsOf: statements) }
    }

    /// Says that what comes is about another key: what decided about the last one stands in its record.
    package func forgetStatements() {
        state.withLock { $0.statements = [] }
    }

    package func note(bytesIn: Int64) {
        state.withLock { $0.bytesIn += bytesIn }
    }

    /// Notes, before a blob is written that others may share, that this request is going to refer to it.
    package func beginSharing(in horizon: ReadHorizon) {
        state.withLock { state in
            if state.sharing == nil { state.sharing = (horizon, horizon.begin()) }
        }
    }

    /// Says that no commit of this request is to come.
    package func endSharing() {
        let sharing = state.withLock { state in
            defer { state.sharing = nil }
            return state.sharing
        }
        if let sharing { sharing.horizon.end(sharing.token) }
    }

    /// Says that a commit has taken the request's record along.
    package func markRecorded() {
        state.withLock { $0.isRecorded = true }
    }

    /// Says that nobody can tell whether a commit of the request was applied.
    package func markUndecided() {
        state.withLock { $0.isUndecided = true }
    }

    /// Whether a commit of the request may have been applied although it failed: what it refers to must stay.
    package var isUndecided: Bool { state.withLock { $0.isUndecided } }
    package var isRecorded: Bool { state.withLock { $0.isRecorded } }
    /// What the operation is, as records name it.
    package var eventName: String { state.withLock { $0.eventName } }
    package var bytesIn: Int64 { state.withLock { $0.bytesIn } }
    package var isReadOnly: Bool { state.withLock { $0.isReadOnly } }

    /// What happened, for the log.
    ///
    /// - Parameters:
    ///   - key: the key that the record is about, where it is not the request's (DeleteObjects).
    ///   - suffix: makes the ids of several records of one request differ.
    package func event(
        in gateway: Gateway, bucket: String? = nil, key: ObjectKey? = nil, version: VersionID? = nil,
        error: S3Error? = nil, bytesOut: Int64 = 0, aborted: Bool = false, suffix: String = ""
    ) -> AuditEvent {
        let state = state.withLock { $0 }
        let bucket = bucket ?? state.bucket
        let key = key ?? state.key
        var event = AuditEvent(
            eventID: suffix.isEmpty ? id : id + "-" + suffix, requestID: id, eventTime: received,
            eventName: state.eventName, awsRegion: gateway.settings.region, sourceIPAddress: incoming.peerAddress,
            userAgent: incoming.head.fields["user-agent"], userIdentity: caller.auditIdentity,
            requestParameters: state.parameters, readOnly: state.isReadOnly)
        if let bucket { event.requestParameters["bucketName"] = bucket }
        if let key { event.requestParameters["key"] = key.description }
        if let version { event.responseElements["x-amz-version-id"] = version.description }
        event.resources = resources(bucket, key)
        event.managementEvent = key == nil
        event.recipientAccountID = caller.principal.accountID
        event.errorCode = error?.code.name
        event.errorMessage = error?.message
        let now = gateway.environment.monotonicNanoseconds()
        event.additionalEventData = AuditEventData(
            bytesIn: state.bytesIn, bytesOut: bytesOut,
            durationMicroseconds: Int64((now &- startedNanoseconds) / 1000),
            authenticationMethod: caller.method.rawValue, signatureVersion: caller.signatureVersion?.recordName,
            statements: state.statements, aborted: aborted)
        return event
    }

    private func resources(_ bucket: String?, _ key: ObjectKey?) -> [AuditResource] {
        guard let bucket else { return [] }
        let bucketARN = "arn:aws:s3:::\(bucket)"
        var resources = [AuditResource(arn: bucketARN, type: "AWS::S3::Bucket")]
        if let key { resources.append(AuditResource(arn: "\(bucketARN)/\(key)", type: "AWS::S3::Object")) }
        return resources
    }
}
