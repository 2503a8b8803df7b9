import Erasure
import NIOCore
package import Primitives
package import Storage
import Synchronization

/// A blob store over blob stores: each blob is cut into k + m shards on different stores, of which any k give it back.
///
/// `store`, `fetch`, `remove`, `verify` and `repair` take or give locators, which the index keeps; the methods of
/// `BlobStore` find the shards by listing the stores, and are for blobs that no index knows. The page Formats describes
/// a shard.
package final class ErasurePool: Sendable {
    private let current: Mutex<PoolMembers>
    let configuration: PoolConfiguration
    let environment: any Environment
    let launcher: TaskLauncher
    let health: StoreHealth
    let pace: ReadPace
    let watchdog: Watchdog
    let reporter: DamageReporter
    /// Whether shards may share a failure domain for want of another one. Of earlier processes nobody knows.
    let crowding = Atomic<Bool>(true)
    let straggled = Atomic<Int>(0)
    private let codes = Mutex<[Geometry: ErasureCode]>([:])
    /// How many parity shards more than is configured a new blob is given.
    private let moreParity = Atomic<Int>(0)

    /// Geometries whose codes are kept at once.
    private static let mostCodes = 16

    /// - Parameters:
    ///   - stores: Each fails independently of the others. Their order is part of the deployment: placements and
    ///     exceptions name them by position.
    ///   - reporter: Told of each damaged shard that a read meets.
    /// - Throws: `unavailable` where the configuration does not fit the stores: a placement names a store that is not
    ///   there, or there are so few that one would hold more than m shards of a blob.
    package init(
        stores: [any BlobStore], configuration: PoolConfiguration, environment: any Environment,
        launcher: TaskLauncher = .concurrent, reporter: @escaping DamageReporter = { _, _ in }
    ) throws(StorageError) {
        let placements =
            configuration.placements
            ?? [Placement(epoch: 0, stores: stores.indices.map { UInt16(truncatingIfNeeded: $0) })]
        current = Mutex(try PoolMembers(stores, placements, configuration.geometry))
        (self.configuration, self.environment) = (configuration, environment)
        (self.launcher, self.reporter) = (launcher, reporter)
        health = StoreHealth(stores: stores.count, suspicion: configuration.suspicion)
        pace = ReadPace(stores: stores.count, budget: configuration.hedgeBudget)
        let shortest = min(configuration.hedgeAfter, configuration.shardDeadline, configuration.stragglerAfter)
        let period = min(max(.milliseconds(5), shortest / 16), .milliseconds(200))
        watchdog = Watchdog(environment: environment, launcher: launcher, period: period)
    }

    /// The stores and lists as they are now. What takes several of them asks once.
    var members: PoolMembers { current.withLock { $0 } }

    /// Goes on with further stores, or by another list. What is under way ends as it began.
    ///
    /// - Parameters:
    ///   - stores: Those of before in their positions, and new ones behind them.
    ///   - placements: Those of before, and perhaps a new one, which is the current one from now on.
    /// - Throws: `unavailable` where they do not fit one another.
    package func use(_ stores: [any BlobStore], _ placements: [Placement]) throws(StorageError) {
        let next = try PoolMembers(stores, placements, configuration.geometry)
        try current.withLock { (members) throws(StorageError) in
            let known = members.placements
            guard stores.count >= members.stores.count, placements.starts(with: known) else {
                throw .unavailable("stores or placements are missing that the pool had")
            }
            health.grow(to: stores.count)
            pace.grow(to: stores.count)
            members = next
        }
    }

    /// The parity shards of blobs that are written from now on: never fewer than are configured.
    package var parityOfNew: Int {
        get { configuration.geometry.parityShards + moreParity.load(ordering: .relaxed) }
        set { moreParity.store(max(0, newValue - configuration.geometry.parityShards), ordering: .relaxed) }
    }

    /// How a new blob is cut that would be cut so by what is configured.
    func ofNew(_ geometry: Geometry) -> Geometry {
        let more = moreParity.load(ordering: .relaxed)
        guard more > 0 else { return geometry }
        do throws(ErasureError) {
            return try Geometry(
                dataShards: geometry.dataShards,
                parityShards: min(geometry.parityShards + more, Geometry.mostParityShards),
                cellSize: geometry.cellSize)
        } catch {
            return geometry  // Its numbers are within the limits, since those of the geometry are.
        }
    }

    /// The failure domains that new blobs are spread over.
    package var domainsOfNew: Int { Set(members.current.domains).count }

    /// The code of a geometry, with its tables.
    func code(_ geometry: Geometry) throws(StorageError) -> ErasureCode {
        if let code = codes.withLock({ $0[geometry] }) { return code }
        let code = try Self.translated { () throws(ErasureError) in try ErasureCode(geometry) }
        codes.withLock { codes in
            if codes.count >= Self.mostCodes { codes.removeAll() }
            codes[geometry] = code
        }
        return code
    }

    func checksum(_ name: BlobName, _ shard: Int) -> ShardChecksum {
        ShardChecksum(deployment: configuration.deployment, blob: name, shard: shard)
    }

    /// The stores in the order in which they hold the shards of a blob.
    func order(_ locator: BlobLocator) -> [UInt16] { locator.order(in: members.placements) }

    /// Where each shard of a blob lies.
    func homes(_ locator: BlobLocator) -> [ShardHome] {
        locator.homes(order(locator), stores: members.stores.count)
    }

    /// Where one shard of a blob lies.
    ///
    /// - Parameter order: of the stores, by the locator's placement.
    func home(_ index: Int, _ locator: BlobLocator, _ order: [UInt16]) -> ShardHome {
        locator.home(index, order, stores: members.stores.count)
    }

    /// Whether a store is there, and neither failed nor held up a write lately.
    func isUsable(_ store: Int, _ now: UInt64) -> Bool {
        !configuration.isAway(store) && !health.isSuspect(store, now: now)
    }

    /// Whether a store is there and did not fail lately: one that only is slow to write to is read.
    func isReadable(_ store: Int, _ now: UInt64) -> Bool {
        !configuration.isAway(store) && !health.hasFailed(store, now: now)
    }

    /// What became of readers beside slow ones: metrics.
    package var hedges: HedgeCounts { pace.counts }

    /// How soon a store answers reads, as far as that is known: a moving mean.
    package func answerTime(ofStore store: Int) -> Duration? {
        guard store < members.stores.count else { return nil }
        return pace.expected(store, now: environment.monotonicNanoseconds()).map { .nanoseconds(Int64(clamping: $0)) }
    }

    /// Writes that went on without a store which alone held them up: a metric.
    package var stragglers: Int { straggled.load(ordering: .relaxed) }

    /// Notes what a call of a store says about the store's health.
    func note(_ store: Int, _ error: StorageError?) {
        switch error {
        case .unavailable(let reason):
            health.failed(store, now: environment.monotonicNanoseconds())
            configuration.onFailure(store, .unavailable(reason))
        case .full:
            health.failed(store, now: environment.monotonicNanoseconds())
            configuration.onFailure(store, .full)
        case nil: health.worked(store)
        default: break
        }
    }

    /// Notes that a write went on without a store, since that alone held it up.
    func noteStraggler(_ store: Int, _ error: StorageError) {
        health.straggled(store, now: environment.monotonicNanoseconds())
        straggled.add(1, ordering: .relaxed)
        configuration.onFailure(store, error)
    }

    /// Does what may throw an `ErasureError`: malformed bytes are corruption, and the rest are faults of ours.
    static func translated<Value>(
        _ work: () throws(ErasureError) -> Value
    ) throws(StorageError) -> Value {
        do throws(ErasureError) {
            return try work()
        } catch {
            if case .malformed(let detail) = error { throw .corrupt(detail) }
            throw .unavailable(error.description)
        }
    }
}

extension ErasurePool: BlobStore {
    package func write(_ name: BlobName, _ body: consuming Body) async throws(StorageError) -> BlobReceipt {
        let locator = try await store(name, body) { [] }
        return BlobReceipt(length: locator.length, exceptions: locator.exceptions)
    }

    package func read(_ name: BlobName, range: Range<Int64>, into sink: inout any BodySink) async throws(StorageError) {
        let located = try await locate(name)
        guard range.lowerBound >= 0, range.upperBound <= located.locator.length else { throw .invalidRange }
        try await fetch(located.locator, range: range, into: &sink)
    }

    package func delete(_ name: BlobName) async throws(StorageError) {
        try await removeEverywhere(name)
    }

    package func blobs(after: BlobName?, limit: Int) async throws(StorageError) -> [BlobSummary] {
        try await summaries(after: after, limit: limit)
    }
}
