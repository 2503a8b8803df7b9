package import Metadata

/// Why the index could not be copied to the stores, or not be brought back from them.
package enum IndexBackupError: Error, Equatable, CustomStringConvertible {
    /// The index did not give or take what was asked.
    case index(MetadataError)
    /// Only so many of the copies needed were stored.
    case tooFewCopies(stored: Int, needed: Int)
    /// No store has a snapshot that is whole. The message says what was found.
    case noSnapshot(String)
    /// A blob that listed as whole could not be read again.
    case lost(String)

    package var description: String {
        switch self {
        case .index(let error): "the index refused: \(error)"
        case .tooFewCopies(let stored, let needed):
            "only \(stored) of \(needed) copies of the index's journal were stored"
        case .noSnapshot(let detail): "no store holds a whole snapshot of the index: \(detail)"
        case .lost(let detail): "a part of the index's backup was lost while it was read: \(detail)"
        }
    }
}
