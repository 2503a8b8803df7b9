/// Why a server could not start, or not take new certificates.
package struct ServerError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        /// The address cannot be listened on.
        case bind
        /// A certificate, key or authority file that cannot be read or does not fit.
        case certificates
    }

    package let kind: Kind
    /// What went wrong and where, for the operator.
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        (self.kind, self.message) = (kind, message)
    }

    package var description: String { "\(kind.rawValue): \(message)" }
}
