package import Primitives

/// Why a store did not do what it was asked.
///
/// The three sides are kept apart so that a client's fault (`source`, `sink`) never trips a backend's breaker.
package enum StorageError: Error, CustomStringConvertible {
    /// The body that was to be written failed; nothing was published.
    case source(BodyError)
    /// The sink that was to be filled failed.
    case sink(BodyError)
    /// There is no such blob.
    case notFound
    /// The range does not lie within the blob.
    case invalidRange
    /// Stored bytes fail their check. The message says where, for the log.
    case corrupt(String)
    /// The store has no room left.
    case full
    /// The store cannot be reached, or refuses to work. The message is for the log, never for a client.
    case unavailable(String)
    /// Too few stores of a pool are up: `up` of the `needed`.
    case quorum(up: Int, needed: Int)

    /// Whether the same call may succeed once stores are back.
    package var isForNow: Bool {
        switch self {
        case .unavailable, .quorum, .full: true
        case .source, .sink, .notFound, .invalidRange, .corrupt: false
        }
    }

    package var description: String {
        switch self {
        case .source(let error): "the body failed (\(error))"
        case .sink(let error): "the sink failed (\(error))"
        case .notFound: "no such blob"
        case .invalidRange: "the range lies outside the blob"
        case .corrupt(let detail): "stored bytes are corrupt: \(detail)"
        case .full: "the disk of the store is full, or its quota is used up"
        case .unavailable(let detail): "the store is unavailable: \(detail)"
        case .quorum(let up, let needed): "only \(up) of the \(needed) stores needed are up"
        }
    }
}
