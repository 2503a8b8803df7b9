/// What a server is told at its start.
package struct ServerConfiguration: Sendable {
    /// The address or name to listen on.
    package var host = "127.0.0.1"
    /// The port to listen on; 0 takes any free one.
    package var port = 0
    /// The number of event loop threads; nil takes one a core.
    package var threads: Int?
    /// Connections that the kernel keeps until they are accepted.
    package var backlog: Int32 = 1024
    package var limits = ServerLimits()
    package var timeouts = ServerTimeouts()
    /// TLS instead of plain HTTP.
    package var tls: TLSSettings?
    /// Told of every request and connection that the server refuses itself: why, the peer's address, and what is known
    /// beyond that, for the log. Called on event loops.
    package var onRefusal: @Sendable (RequestRefusal.Reason, _ peer: String, _ detail: String?) -> Void = { _, _, _ in }

    package init(host: String = "127.0.0.1", port: Int = 0) {
        (self.host, self.port) = (host, port)
    }
}

/// The bounds on what clients make the server hold.
package struct ServerLimits: Sendable, Equatable {
    /// Bytes of the request line.
    package var requestLineBytes = 16 << 10
    /// Header fields of one request.
    package var headerCount = 128
    /// Bytes of the header section.
    package var headerBytes = 32 << 10
    /// Connections open at once. One more is answered with 503 (over TLS: closed).
    package var connections = 10_000
    /// Of these, those of one address, or of one network of 64 bits of IPv6. One more is answered as one too many.
    package var connectionsPerAddress = 7_500
    /// Requests in flight at once, over all connections. One more is answered with 503 `SlowDown`.
    package var requestsInFlight = 2_000
    /// Of these, those of one address. One more is answered with 503 `SlowDown`.
    package var requestsPerAddress = 1_500
    /// The bytes of an unread request body that are read and thrown away to keep the connection. Where more are left
    /// when the answer begins, the answer says `connection: close`.
    package var discardedBodyBytes: Int64 = 256 << 10
    /// The bytes thrown away while a closing connection waits for its client to read the answer and close.
    package var lingerBytes: Int64 = 64 << 20
    /// The most that one read from a socket takes.
    package var receiveBytes = 1 << 20
    /// The bytes waiting to be sent above which a writer waits, and below which it goes on.
    package var writeWatermarks = 256 << 10..<2 << 20

    package init() {}
}

/// How long clients may take.
package struct ServerTimeouts: Sendable, Equatable {
    /// Between two requests of a connection, and before the first.
    package var idle = Duration.seconds(75)
    /// From the first byte of a head to its last.
    package var head = Duration.seconds(20)
    /// The interval in which `progressBytes` must come while a body is waited for, or be taken while an answer waits.
    package var progress = Duration.seconds(30)
    /// The least progress in such an interval, in bytes.
    package var progressBytes = 1024
    /// For a TLS handshake.
    package var handshake = Duration.seconds(10)
    /// For the client to close after the last answer of a connection.
    package var linger = Duration.seconds(10)

    package init() {}
}

/// Where the certificates of a TLS server are, all PEM files.
package struct TLSSettings: Sendable, Equatable {
    /// What is asked of clients.
    package enum ClientCertificates: String, Sendable, CaseIterable {
        /// Nothing.
        case none
        /// A certificate is asked for; one that does not verify ends the handshake, none at all does not.
        case optional
        /// No handshake succeeds without a certificate that verifies.
        case required
    }

    /// The certificate and the chain above it, leaf first.
    package var certificateChainFile: String
    /// The key of the leaf.
    package var privateKeyFile: String
    /// The authorities that client certificates are verified against.
    package var clientAuthorityFile: String?
    package var clientCertificates: ClientCertificates

    package init(
        certificateChainFile: String, privateKeyFile: String, clientAuthorityFile: String? = nil,
        clientCertificates: ClientCertificates = .none
    ) {
        (self.certificateChainFile, self.privateKeyFile) = (certificateChainFile, privateKeyFile)
        (self.clientAuthorityFile, self.clientCertificates) = (clientAuthorityFile, clientCertificates)
    }
}
