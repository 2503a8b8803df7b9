import Metadata
import Primitives

/// What is shown of a store of the pool, be it a directory or a backend.
struct PoolStoreView: Codable, Sendable {
    /// Its position.
    var store: Int
    /// The backend's name; nil for a directory.
    var backend: String?
    /// The directory's path; nil for a backend.
    var directory: String?
    var id: String
    var standing: String
    var weight: Int
    /// Why the gateway does not reach it; nil where it does, and where no gateway runs.
    var absence: String?

    init(_ position: UInt16, _ record: StoreRecord, absence: String?) {
        (store, id, weight) = (Int(position), Hex.encode(record.id), Int(record.weight))
        backend = record.backend?.name
        directory = record.backend == nil ? record.place : nil
        (standing, self.absence) = (record.standing.text, absence)
    }
}

extension StoreRecord.Standing {
    /// As views and commands call it.
    var text: String {
        switch self {
        case .active: "active"
        case .draining: "draining"
        case .detached: "detached"
        }
    }
}
