import Metadata
import Pools
import Workers

/// What the index knows of the stores: which store is meant by a position, and the lists by which blobs were placed.
struct StoreRegistry: Sendable {
    var stores: [UInt16: StoreRecord] = [:]
    private var lists: [UInt32: PlacementRecord] = [:]

    static func read(_ index: any MetadataIndex) async throws(StartError) -> StoreRegistry {
        var registry = StoreRegistry()
        for entry in try await entries(Keys.stores, index) {
            registry.stores[UInt16(truncatingIfNeeded: Keys.number(entry.key.dropFirst(2)))] =
                try StartError.translated("The index") { () throws(RecordError) in
                    try StoreRecord(encoded: entry.value)
                }
        }
        for entry in try await entries(Keys.placements, index) {
            registry.lists[UInt32(truncatingIfNeeded: Keys.number(entry.key.dropFirst(2)))] =
                try StartError.translated("The index") { () throws(RecordError) in
                    try PlacementRecord(encoded: entry.value)
                }
        }
        return registry
    }

    private static func entries(
        _ range: Range<KeyBound>, _ index: any MetadataIndex
    ) async throws(StartError) -> [Entry] {
        try await StartError.awaited("The index") { () throws(MetadataError) in
            try await index.scan(Scan(range, limit: 1000)).entries
        }
    }

    /// The lists of the pool, the one of all stores last: it is added, under an epoch of its own, where it is not there
    /// yet.
    func placements(of count: Int, _ commits: WorkerCommits) async throws(StartError) -> [Placement] {
        var placements = lists.sorted { $0.key < $1.key }.map { Placement(epoch: $0.key, stores: $0.value.stores) }
        let all = (0..<count).map { UInt16(truncatingIfNeeded: $0) }
        guard placements.last?.stores != all else { return placements }
        let epoch = placements.last.map { $0.epoch + 1 } ?? 0
        let key = Keys.placement(epoch)
        _ = try await StartError.awaited("The index") { () throws(WorkerError) in
            try await commits.commit([.absent(key)], [.put(key, PlacementRecord(stores: all).encoded)])
        }
        placements.append(Placement(epoch: epoch, stores: all))
        return placements
    }
}
