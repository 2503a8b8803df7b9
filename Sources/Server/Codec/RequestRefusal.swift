/// Why the front answers a request itself, before any handler has seen it.
package struct RequestRefusal: Error, Equatable, Sendable {
    /// What was refused: one label of a counter each.
    package enum Reason: String, Sendable, CaseIterable {
        /// A request line that does not parse, or a target that is not in origin form.
        case requestLine
        /// A method that no part of S3 uses.
        case method
        /// A version that is neither HTTP/1.1 nor HTTP/1.0.
        case version
        /// A header field that does not parse.
        case headerField
        /// A `Host` that is missing, repeated, malformed or not that of the target.
        case host
        /// Message framing that two readers could understand in two ways.
        case framing
        /// An expectation other than `100-continue`.
        case expectation
        /// A request line above its limit.
        case requestLineTooLong
        /// Header fields above their limits.
        case headerTooLarge
        /// A head that did not come in time.
        case headTimeout
        /// A body that came too slowly, or an answer that was taken too slowly.
        case slowPeer
        /// More connections than the limit.
        case connections
        /// More requests in flight than the limit.
        case requests
        /// A TLS handshake that failed or did not end in time.
        case handshake
        /// A handler that returned without an answer: a fault of ours.
        case unanswered
    }

    package let reason: Reason
    /// The status to answer with.
    package let status: Int
    /// The S3 error code to answer with.
    package let code: String
    /// A sentence for the client. It carries no byte of the request.
    package let message: String

    package init(_ reason: Reason, status: Int = 400, code: String = "BadRequest", _ message: String) {
        (self.reason, self.status, self.code, self.message) = (reason, status, code, message)
    }

    /// Too many requests in flight: the client is asked to come back (S3 error `SlowDown`).
    package static let slowDown = RequestRefusal(
        .requests, status: 503, code: "SlowDown", "Please reduce your request rate.")

    /// Too many connections.
    package static let tooManyConnections = RequestRefusal(
        .connections, status: 503, code: "SlowDown", "Too many connections are open.")

    /// The head did not come whole in time.
    package static let headTimeout = RequestRefusal(
        .headTimeout, status: 408, code: "RequestTimeout",
        "The request's header section was not received within the timeout period.")
}
