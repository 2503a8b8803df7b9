import Configuration
import Metadata
import Pools
import Workers

/// What the index knows of the stores: which store is meant by a position, and the lists by which blobs were placed.
struct StoreRegistry: Sendable {
    var stores: [UInt16: StoreRecord] = [:]
    private(set) var lists: [UInt32: PlacementRecord] = [:]
    /// The adopted buckets.
    private(set) var sources: [UInt16: SourceRecord] = [:]

    static func read(_ index: any ReadableIndex) async throws(StartError) -> StoreRegistry {
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
        for entry in try await entries(Keys.sources, index) {
            registry.sources[UInt16(truncatingIfNeeded: Keys.number(entry.key.dropFirst(2)))] =
                try StartError.translated("The index") { () throws(RecordError) in
                    try SourceRecord(encoded: entry.value)
                }
        }
        return registry
    }

    /// Whether somebody's credentials are sealed here.
    var holdsCredentials: Bool {
        (stores.values.compactMap(\.backend) + sources.values.map(\.backend)).contains { !$0.credentials.isEmpty }
    }

    private static func entries(
        _ range: Range<KeyBound>, _ index: any ReadableIndex
    ) async throws(StartError) -> [Entry] {
        try await StartError.awaited("The index") { () throws(MetadataError) in
            try await index.scan(Scan(range, limit: 1000)).entries
        }
    }

    /// The lists by which blobs were placed so far.
    var placements: [Placement] {
        lists.sorted { $0.key < $1.key }.map { Self.placement($0.key, $0.value) }
    }

    private static func placement(_ epoch: UInt32, _ list: PlacementRecord) -> Placement {
        Placement(epoch: epoch, stores: list.stores, domains: list.domains, weights: list.weights)
    }

    /// The positions of stores that are drained, or gone.
    var leaving: Set<Int> { Set(stores.filter { $0.value.standing != .active }.map { Int($0.key) }) }

    /// The list by which blobs are to be placed: the stores that are neither draining nor gone.
    ///
    /// - Parameters:
    ///   - count: the positions that there are.
    ///   - node: the host of directories.
    func wanted(of count: Int, _ pool: TidegateConfiguration.Pool, node: String) -> PlacementRecord {
        let active = (0..<count).map { UInt16(truncatingIfNeeded: $0) }
            .filter { stores[$0]?.standing ?? .active == .active }
        let domains = active.map { stores[$0]?.backend?.domain ?? FailureDomain(hosts: [node]) }
        let numbers = FailureDomains.numbers(
            domains, at: FailureDomains.Level(rawValue: pool.spread.rawValue),
            shards: pool.dataShards + pool.parityShards, parity: pool.parityShards)
        let weights = active.map { stores[$0]?.weight ?? StoreRecord.usualWeight }
        return PlacementRecord(
            stores: active, domains: numbers, weights: Set(weights).count > 1 ? weights : nil)
    }

    /// The lists of the pool, the wanted one last: it is added, under an epoch of its own, where it is not there yet.
    ///
    /// - Throws: Also where another change came in between.
    func placements(
        _ wanted: PlacementRecord, _ commits: WorkerCommits
    ) async throws(StartError) -> [Placement] {
        let last = lists.max { $0.key < $1.key }
        guard last?.value != wanted else { return placements }
        let epoch = last.map { $0.key + 1 } ?? 0
        let key = Keys.placement(epoch)
        _ = try await StartError.awaited("The index") { () throws(WorkerError) in
            try await commits.commit([.absent(key)], [.put(key, wanted.encoded)])
        }
        return placements + [Self.placement(epoch, wanted)]
    }
}
