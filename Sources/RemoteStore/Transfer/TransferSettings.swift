/// How a backend is reached: limits of time and number, and whom to trust.
package struct TransferSettings: Sendable {
    /// Whose certificate a server may show. There is no way to trust any.
    package enum Trust: Sendable, Hashable {
        /// The authorities of the system.
        case system
        /// These certificates alone, in PEM: an authority of one's own, or the server's certificate itself.
        case certificates(String)
    }

    /// Until a connection stands, its TLS included.
    package var connectTimeout: Duration = .seconds(5)
    /// From the request's last byte to the answer's first.
    package var firstByteTimeout: Duration = .seconds(30)
    /// Without a byte in either direction, time not counted in which we ourselves hold it up.
    package var stallTimeout: Duration = .seconds(20)
    /// From a request's start to the answer's end, whatever moves meanwhile; nil for no limit.
    package var wholeTimeout: Duration?
    /// Until one of the transfers under way makes room for one that waits.
    package var waitTimeout: Duration = .seconds(30)

    /// Transfers, and with them connections, at once.
    package var transferLimit = 32
    /// Transfers that wait for one of these; one more is refused.
    package var waitingLimit = 1024

    package var trust = Trust.system
    /// SHA-256 digests of public keys (32 bytes each), of which the server must have one beside a certificate that is
    /// trusted. Empty for any.
    package var pinnedKeys: [[UInt8]] = []
    /// Whether TLS 1.2 is not spoken either.
    package var requiresTLS13 = false
    /// Whether HTTP/2 is offered to a server that speaks TLS. Off unless somebody wants it: with Debian's libcurl it
    /// costs many times what HTTP/1.1 does (the page RemoteStore of Decisions).
    package var offersHTTP2 = false
    /// A proxy's URL. The process's environment is not asked for one.
    package var proxy: String?

    package init() {}
}
