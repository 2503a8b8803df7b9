package import Audit
package import Metadata
package import Storage

/// Why a worker could not do what it was to do.
package enum WorkerError: Error, CustomStringConvertible {
    /// The index refused, or is away. A conflict counts its position without the condition on the worker's epoch.
    case index(MetadataError)
    case storage(StorageError)
    case audit(AuditError)
    /// A record of the index cannot be read; the key says which.
    case malformed(Key)
    /// The worker's epoch has ended: another process took over, and this one changes nothing any more.
    case fenced
    /// It would not be safe; the message says what is wrong, for the log.
    case refused(String)
    case cancelled

    package var description: String {
        switch self {
        case .index(let error): "the index: \(error)"
        case .storage(let error): "the stores: \(error)"
        case .audit(let error): error.description
        case .malformed(let key): "the record under \(Self.text(key)) cannot be read"
        case .fenced: "the writer epoch has ended; another process has taken over"
        case .refused(let reason): "refused: \(reason)"
        case .cancelled: "cancelled"
        }
    }

    /// A key in hexadecimal digits, cut where it is long.
    static func text(_ key: Key) -> String {
        key.prefix(64).reduce(into: "") { text, byte in
            text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
    }
}
