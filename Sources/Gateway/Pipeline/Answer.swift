import Audit
import NIOCore
import Primitives
import S3Model
import S3Wire
import Storage
import Synchronization

/// The answer to one request, on its way: head, bytes, record, observation.
final class Answer: Sendable {
    let id: String
    let received: Timestamp
    let startedNanoseconds: UInt64
    private let gateway: Gateway
    private let channel: any ResponseChannel
    private let incoming: IncomingRequest
    private let progress = ResponseSink.Progress()
    private let state = Mutex(State())

    private struct State {
        var wire: WireRequest?
        var context: RequestContext?
    }

    init(
        _ gateway: Gateway, _ channel: any ResponseChannel, id: String, received: Timestamp,
        startedNanoseconds: UInt64, incoming: IncomingRequest
    ) {
        (self.gateway, self.channel, self.id) = (gateway, channel, id)
        (self.received, self.startedNanoseconds, self.incoming) = (received, startedNanoseconds, incoming)
    }

    func named(_ wire: WireRequest) {
        state.withLock { $0.wire = wire }
    }

    func authenticated(_ context: RequestContext) {
        state.withLock { $0.context = context }
    }

    /// Nil as long as that is not known.
    private var caller: Caller? { state.withLock { $0.context?.caller } }

    /// Sends a success. The record is written before the answer is whole.
    func succeed(_ response: WireResponse, content: ObjectContent?) async throws(S3Error) {
        guard let content else {
            try await record(bytesOut: Int64(response.body.count))
            await send(response)
            observe(response.status, error: nil, bytesOut: Int64(response.body.count))
            return
        }
        try await stream(response, content)
    }

    private func stream(_ response: WireResponse, _ content: ObjectContent) async throws(S3Error) {
        guard content.length > 0 else {
            try await record(bytesOut: 0)
            await send(response)
            observe(response.status, error: nil, bytesOut: 0)
            return
        }
        if content.length <= gateway.settings.wholeBytes { return try await sendWhole(response, content) }
        let held = ResponseSink(channel, head(response), length: content.length, progress: progress)
        var sink: any BodySink = held
        do {
            try await content.read(&sink)
        } catch {
            // Before the first byte there is still time for an error answer; after it, only the connection can tell.
            guard progress.hasBegun else { throw S3Error(error) }
            await channel.abort()
            await recordAborted(S3Error(error))
            return
        }
        do {
            try await record(bytesOut: content.length)
            try await held.complete()
            try await channel.finish()
            observe(response.status, error: nil, bytesOut: content.length)
        } catch let error as S3Error {
            // A read whose record cannot be written is not completed.
            guard progress.hasBegun else { throw error }
            await channel.abort()
            observe(error.code.status, error: error, bytesOut: progress.bytes)
        } catch {
            observe(response.status, error: nil, bytesOut: progress.bytes)
        }
    }

    /// Sends a small object, whole and recorded, or an error.
    private func sendWhole(_ response: WireResponse, _ content: ObjectContent) async throws(S3Error) {
        var sink: any BodySink = BufferingSink(limit: Int(content.length))
        do throws(StorageError) {
            try await content.read(&sink)
        } catch {
            throw S3Error(error)
        }
        guard let bytes = (sink as? BufferingSink)?.bytes, Int64(bytes.readableBytes) == content.length else {
            throw S3Error.hidden(.internalError, "storage: an object has fewer bytes than its record says")
        }
        try await record(bytesOut: content.length)
        await send(response, bytes)
        observe(response.status, error: nil, bytesOut: content.length)
    }

    private func recordAborted(_ error: S3Error) async {
        observe(error.code.status, error: error, bytesOut: progress.bytes)
        guard let context = state.withLock({ $0.context }) else { return }
        do throws(S3Error) {
            try await Recorder(gateway).record(
                context.event(in: gateway, error: error, bytesOut: progress.bytes, aborted: true))
        } catch {
            observe(503, error: error, bytesOut: 0)
        }
    }

    /// Answers with an error, and records it.
    func fail(_ error: S3Error) async {
        var error = error
        do throws(S3Error) {
            let recorder = Recorder(gateway)
            if recorder.isRecorded(caller, from: incoming.peerAddress) { try await recorder.record(refusal(error)) }
        } catch let failure {
            // Without its record even a refusal says only that the service is not available.
            error = failure
        }
        let wire = state.withLock { $0.wire }
        var shown = error
        shown.headers.removeAll { $0.name == S3Error.internalReason }
        var response = ErrorDocument.encode(
            shown, resource: wire?.resource ?? "/", requestID: id, hostID: gateway.settings.node,
            method: incoming.head.method)
        // An answer to HEAD has no body that could name the region; clients that signed for another one learn it here.
        if incoming.head.method.utf8.elementsEqual("HEAD".utf8), wire?.bucket != nil {
            response.fields["x-amz-bucket-region"] = gateway.settings.region
        }
        await send(response)
        observe(response.status, error: error, bytesOut: Int64(response.body.count))
    }

    private func refusal(_ error: S3Error) -> AuditEvent {
        let state = state.withLock { $0 }
        let context =
            state.context
            ?? RequestContext(
                id: id, received: received, startedNanoseconds: startedNanoseconds, incoming: incoming,
                wire: state.wire ?? WireRequest(undecodable: incoming.head), caller: .unknown)
        // What was recorded, or may have been since a commit's outcome is unknown, has the request's id as its own.
        let isTaken = context.isRecorded || context.isUndecided
        return context.event(in: gateway, error: error, suffix: isTaken ? "failed" : "")
    }

    private func record(bytesOut: Int64) async throws(S3Error) {
        guard let context = state.withLock({ $0.context }), !context.isRecorded else { return }
        try await Recorder(gateway).record(context.event(in: gateway, bytesOut: bytesOut))
    }

    private func head(_ response: WireResponse) -> ResponseHead {
        var fields = response.fields
        fields.append("x-amz-request-id", id)
        fields.append("x-amz-id-2", gateway.settings.node)
        return ResponseHead(status: response.status, fields: fields)
    }

    /// - Parameter body: the body, where it is an object's; else it is the response's own.
    private func send(_ response: WireResponse, _ body: ByteBuffer? = nil) async {
        do {
            try await channel.send(head(response), body ?? ByteBuffer(bytes: response.body))
        } catch {
            // The client is gone; what was done stays done, and its record is written.
            await channel.abort()
        }
    }

    private func observe(_ status: Int, error: S3Error?, bytesOut: Int64) {
        let state = state.withLock { $0 }
        let context = state.context
        let identity = context?.caller.auditIdentity
        gateway.metrics.observe(
            GatewayMetrics.Observation(
                requestID: id, operation: context?.eventName ?? "Unknown", status: status, errorCode: error?.code.name,
                reason: error?.headers.first { $0.name == S3Error.internalReason }?.value,
                bucket: state.wire?.bucket, key: state.wire?.key?.description, peerAddress: incoming.peerAddress,
                principal: identity.map { $0.arn ?? $0.type },
                isAnonymous: context?.caller.isAnonymous ?? true,
                bytesIn: context?.bytesIn ?? 0, bytesOut: bytesOut,
                nanoseconds: gateway.environment.monotonicNanoseconds() &- startedNanoseconds))
    }
}
