import Configuration
import Cryptography
import Monitoring
import NIOCore
import Primitives

/// Answers on the admin port: metrics and health, and the management interface.
struct AdminHandler: RequestHandler {
    /// The metrics in Prometheus's format.
    let metrics: @Sendable () async -> String
    /// The token that is asked for; nil on the loopback, where none is configured.
    let credential: Secret?
    /// What keeps the gateway from serving now, as sentences; none where it can.
    let obstacles: @Sendable () async -> [String]
    let management: AdminAPI

    func handle(_ request: IncomingRequest, body: consuming Body, response: any ResponseChannel) async {
        let answer: (head: ResponseHead, body: [UInt8])
        if AdminAPI.serves(request.head), let refusal = strangerRefusal(request.head) {
            answer = refusal
        } else if AdminAPI.serves(request.head) {
            answer = await management.answer(request, body: body)
        } else {
            answer = await self.answer(to: request.head)
        }
        do throws(BodyError) {
            let isHead = request.head.method.utf8.elementsEqual("HEAD".utf8)
            var head = answer.head
            if isHead { head.fields["content-length"] = String(answer.body.count) }
            try await response.send(head, ByteBuffer(bytes: isHead ? [] : answer.body))
        } catch {
            // Whoever asked has gone.
            await response.abort()
        }
    }

    private func strangerRefusal(_ head: RequestHead) -> (head: ResponseHead, body: [UInt8])? {
        guard !isForLoopback(head) else { return nil }
        return Self.text(
            403, "Without admin.credential-file only requests to 127.0.0.1, localhost and [::1] are answered here.\n")
    }

    private func answer(to head: RequestHead) async -> (head: ResponseHead, body: [UInt8]) {
        if let refusal = strangerRefusal(head) { return refusal }
        guard isAllowed(head) else {
            var refusal = Self.text(401, "A bearer token is wanted.\n")
            refusal.head.fields["www-authenticate"] = "Bearer realm=\"tidegate\""
            return refusal
        }
        guard ["GET", "HEAD"].contains(where: { head.method.utf8.elementsEqual($0.utf8) }) else {
            var refusal = Self.text(405, "Only GET is served here.\n")
            refusal.head.fields["allow"] = "GET, HEAD"
            return refusal
        }
        switch Array(head.rawPath.utf8) {
        case Array("/metrics".utf8):
            var answer = Self.text(200, await metrics())
            answer.head.fields["content-type"] = MetricsRegistry.contentType
            return answer
        case Array("/healthz".utf8):
            return Self.text(200, "The process is alive.\n")
        case Array("/readyz".utf8):
            let found = await obstacles()
            guard found.isEmpty else { return Self.text(503, found.map { "\($0)\n" }.joined()) }
            return Self.text(200, "S3 is served.\n")
        default:
            return Self.text(404, "There are /metrics, /healthz, /readyz and /v1/backends.\n")
        }
    }

    /// Whether the request is meant for this machine. Without a token the loopback alone keeps others out, but not the
    /// pages that a browser of this machine shows: their own host name may resolve to the loopback by now (DNS
    /// rebinding), and they would read the answer. A browser always says which name it asked for.
    private func isForLoopback(_ head: RequestHead) -> Bool {
        guard credential == nil, let host = head.fields["host"] else { return true }
        return (ListenAddress(host) ?? ListenAddress("\(host):0"))?.isLoopback ?? false
    }

    private func isAllowed(_ head: RequestHead) -> Bool {
        guard let credential else { return true }
        let wanted = Array("Bearer \(credential.reveal())".utf8)
        return constantTimeEqual(Array((head.fields["authorization"] ?? "").utf8), wanted)
    }

    private static func text(_ status: Int, _ body: String) -> (head: ResponseHead, body: [UInt8]) {
        (
            ResponseHead(
                status: status, fields: ["content-type": "text/plain; charset=utf-8", "cache-control": "no-store"]),
            Array(body.utf8)
        )
    }
}
