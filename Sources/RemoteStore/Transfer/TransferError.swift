/// Why a transfer brought no whole answer.
///
/// The texts are libcurl's or ours: they name addresses and ports, never what was sent.
package enum TransferError: Error, Equatable, CustomStringConvertible {
    /// No connection came about, or its TLS was refused: the server has seen nothing of the request.
    case notConnected(String)
    /// The connection broke, or the server was silent for too long: it may have done what was asked.
    case broken(String)
    /// What came is no answer that we read: too large, or not well-formed.
    case malformed(String)
    /// The task that wanted it was cancelled.
    case cancelled
    /// Too many transfers wait already, or this one waited for too long: nothing was sent.
    case overloaded
    /// The engine was closed.
    case closed

    package var description: String {
        switch self {
        case .notConnected(let detail): "no connection: \(detail)"
        case .broken(let detail): "the connection broke: \(detail)"
        case .malformed(let detail): "the answer cannot be read: \(detail)"
        case .cancelled: "it was cancelled"
        case .overloaded: "too many transfers wait for it"
        case .closed: "it was closed"
        }
    }

    /// Whether the server may have taken the whole request.
    package var mayHaveTakenEffect: Bool {
        switch self {
        case .broken, .malformed, .cancelled, .closed: true
        case .notConnected, .overloaded: false
        }
    }
}
