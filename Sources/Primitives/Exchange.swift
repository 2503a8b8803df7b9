package import NIOCore

/// One request as a front (a socket, a test) hands it over.
package struct IncomingRequest: Sendable {
    package var head: RequestHead
    /// The peer's address without its port, as the socket says: never from a header.
    package var peerAddress: String
    package var peerPort: Int
    /// Whether the connection is encrypted.
    package var isSecure: Bool
    /// The version of TLS, such as `1.3`; nil for a connection that is not encrypted.
    package var tlsVersion: String?
    /// The client certificate that the TLS handshake verified, in DER.
    package var clientCertificate: [UInt8]?

    package init(
        head: RequestHead, peerAddress: String, peerPort: Int = 0, isSecure: Bool = false,
        tlsVersion: String? = nil, clientCertificate: [UInt8]? = nil
    ) {
        (self.head, self.peerAddress, self.peerPort) = (head, peerAddress, peerPort)
        (self.isSecure, self.tlsVersion, self.clientCertificate) = (isSecure, tlsVersion, clientCertificate)
    }
}

/// Whoever answers requests.
package protocol RequestHandler: Sendable {
    /// Answers one request, in a task of its own that is cancelled when the client goes away.
    ///
    /// The handler sends exactly one head. A body that asked for `100-continue` gets it at its first `next()`, so a
    /// request refused by its head alone never causes the client to send its body.
    func handle(_ request: IncomingRequest, body: consuming Body, response: any ResponseChannel) async
}

/// The way back to the client of one request: one head, then bytes, then the end.
package protocol ResponseChannel: Sendable {
    /// Sends head and whole body at once; nothing may follow. For `HEAD`, and statuses without a body, `bytes` must be
    /// empty; a `content-length` set by the caller is then kept.
    func send(_ head: ResponseHead, _ bytes: ByteBuffer) async throws(BodyError)

    /// Sends the head of an answer whose bytes follow: `length` bytes, or chunked where nil.
    func begin(_ head: ResponseHead, length: Int64?) async throws(BodyError)

    /// Sends bytes of the body. Returns when there is room for more.
    func write(_ bytes: ByteBuffer) async throws(BodyError)

    /// Ends the body. Where fewer bytes than announced were written, the connection is reset instead.
    func finish() async throws(BodyError)

    /// Resets the connection, so that the client sees that what it got is not whole. Also right before a head was sent.
    func abort() async
}
