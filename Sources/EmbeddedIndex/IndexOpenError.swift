import CSQLite

/// Why an index cannot be opened.
package enum IndexOpenError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Another process has it open. The message says which, as far as that is known, and what to do.
    case inUse(String)
    /// The file is no index that this program can read, or what it holds makes no sense.
    case damaged(String)
    /// The system refuses.
    case unavailable(String)

    init(_ error: SQLiteError) {
        switch error.primaryCode {
        case SQLITE_BUSY: self = .inUse(error.message)
        case SQLITE_CORRUPT, SQLITE_NOTADB: self = .damaged(error.description)
        default: self = .unavailable(error.description)
        }
    }

    package var description: String {
        switch self {
        case .inUse(let reason), .unavailable(let reason): reason
        case .damaged(let reason):
            "it is damaged, or no index of this program (\(reason)). Move it away, together with the files whose names "
                + "begin alike, and bring it back from the stores by `tidegate recover`"
        }
    }
}
