import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// Why a server could not start, or not take new certificates.
package struct ServerError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        /// The address cannot be listened on.
        case bind
        /// A certificate, key or authority file that cannot be read or does not fit.
        case certificates
    }

    package let kind: Kind
    /// What went wrong and where, for the operator: a sentence.
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        (self.kind, self.message) = (kind, message)
    }

    /// Why an address cannot be listened on.
    init(binding configuration: ServerConfiguration, _ error: any Error) {
        let isV6 = configuration.host.utf8.contains(UInt8(ascii: ":"))
        let address = "\(isV6 ? "[\(configuration.host)]" : configuration.host):\(configuration.port)"
        let reason =
            switch (error as? IOError)?.errnoCode {
            case EADDRINUSE: "another process listens there"
            case EADDRNOTAVAIL: "this machine has no such address"
            case EACCES: "the process may not use this port"
            case nil where error is SocketAddressError || error is SocketAddressError.UnknownHost:
                "the name of the host is not known"
            default: "\(error)"
            }
        self.init(.bind, "\(address) cannot be listened on: \(reason).")
    }

    package var description: String { message }
}
