import Metadata
import Pools
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

    /// What it holds and can hold, where that is known.
    var usedBytes: Int64?
    var capacityBytes: Int64?
    var usedPercent: Int?
    /// `normal`, `nearly full` (pool.warn-above) or `full` (pool.full-above); nil where no gateway runs.
    var fill: String?

    init(_ position: UInt16, _ record: StoreRecord, absence: String?, _ filling: StoreFilling?) {
        (store, id, weight) = (Int(position), Hex.encode(record.id), Int(record.weight))
        backend = record.backend?.name
        directory = record.backend == nil ? record.place : nil
        (standing, self.absence) = (record.standing.text, absence)
        let space = filling?.space(of: store)
        (usedBytes, usedPercent) = (space?.used, space?.percent.map { Int(min($0, 1e6)) })
        capacityBytes = space?.capacity ?? record.capacity
        fill = filling?.level(of: store).rawValue
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
