import Audit
import Erasure
import Metadata
import NIOCore
import Pools
import Primitives
import Storage
import Synchronization
import Testing
import TidegateTesting
import Workers

/// An index, a pool over stores in memory, and the session of a process that works on them.
struct WorkerHarness {
    var index: MemoryIndex
    let environment: SimulatedEnvironment
    let memory: [MemoryStore]
    let faulty: [FaultyStore]
    let pool: ErasurePool
    let audit = InMemoryAuditSink()
    let horizon = ReadHorizon()
    let claims = BlobClaims()
    let events = EventLog()
    var session: WriterSession
    var commits: WorkerCommits

    static let deployment = [UInt8](repeating: 7, count: 16)

    /// - Parameters:
    ///   - watched: What sees every commit of the workers before it is made.
    ///   - wrap: What the pool sees of a store in memory.
    init(
        index: MemoryIndex = MemoryIndex(), stores: Int = 6, seed: UInt64 = 1, watched: WatchedIndex? = nil,
        wrap: (MemoryStore) -> any BlobStore = { $0 }
    ) async throws {
        self.index = index
        let environment = SimulatedEnvironment(seed: seed, sleeping: .skipping)
        self.environment = environment
        memory = (0..<stores).map { _ in MemoryStore() }
        faulty = memory.map { FaultyStore(wrap($0), environment: environment) }
        var configuration = PoolConfiguration(
            deployment: try DeploymentID(Self.deployment),
            geometry: try Geometry(dataShards: 4, parityShards: 2, cellSize: 1024))
        configuration.suspicion = .zero
        pool = try ErasurePool(stores: faulty, configuration: configuration, environment: SystemEnvironment())
        session = try await EpochKeeper(index: index, environment: environment, node: "a")
            .begin(deployment: Self.deployment)
        commits = WorkerCommits(index: watched ?? index, epoch: session.workers)
    }

    /// What a process that starts after this one died works with.
    func restarted() async throws -> WorkerHarness {
        var next = self
        next.session = try await EpochKeeper(index: index, environment: environment, node: "b").begin()
        next.commits = WorkerCommits(index: index, epoch: next.session.workers)
        return next
    }

    /// Commits as some writer would, on no conditions but those given.
    @discardableResult
    func commit(_ mutations: [Mutation], if conditions: [Condition] = []) async throws -> CommitVersion {
        let id = TransactionID(epoch: .max, counter: environment.random() >> 1)
        return try await index.commit(Transaction(id: id, conditions: conditions, mutations: mutations))
    }

    func value(_ key: Key) async throws -> [UInt8]? {
        try await index.values(of: [key])[0]?.value
    }

    /// Writes a blob of the gateway's epoch, or of another one.
    func store(_ bytes: [UInt8], epoch: UInt32? = nil, counter: UInt64) async throws -> BlobLocator {
        let name = BlobName(
            epoch: epoch ?? session.gateway, counter: counter, random: UInt32(truncatingIfNeeded: environment.random()))
        return try await pool.store(name, Body(ByteBuffer(bytes: bytes))) { Array("recovery".utf8) }
    }

    /// Makes a blob known and referred to, as the commit of an object does.
    func refer(to locator: BlobLocator, reference: UInt64) async throws {
        try await commit(
            [
                .put(Keys.blob(locator.name), BlobRecord(location: Self.location(locator)).encoded),
                .put(Keys.reference(locator.name, reference), []),
            ], if: [.absent(Keys.trash(locator.name))])
    }

    /// Gives up a reference, as the commit of a deletion does.
    func release(_ name: BlobName, reference: UInt64) async throws {
        try await commit([.remove(Keys.reference(name, reference)), .put(Keys.trash(name), [])])
    }

    func fetch(_ locator: BlobLocator) async throws -> [UInt8] {
        var sink: any BodySink = BufferingSink()
        try await pool.fetch(locator, range: 0..<locator.length, into: &sink)
        return (sink as? BufferingSink).map { Array($0.bytes.readableBytesView) } ?? []
    }

    /// Stores a blob and makes it known and referred to.
    func keep(_ bytes: [UInt8], counter: UInt64) async throws -> BlobLocator {
        let locator = try await store(bytes, counter: counter)
        try await refer(to: locator, reference: 1)
        return locator
    }

    /// Where a shard of a blob lies.
    func home(of index: Int, _ locator: BlobLocator) async throws -> Int {
        Int(try #require(try await pool.verify(locator)[index].store))
    }

    /// Takes a shard away from its store, as a disk that forgets.
    func lose(_ index: UInt8, of locator: BlobLocator) async throws {
        let attempt = locator.exceptions.first { $0.index == index }?.attempt ?? 0
        try await memory[home(of: Int(index), locator)].delete(locator.name.shard(index, attempt: attempt))
    }

    /// Flips a bit of a shard.
    func flip(_ index: UInt8, of locator: BlobLocator, byte: Int) async throws {
        let attempt = locator.exceptions.first { $0.index == index }?.attempt ?? 0
        let name = locator.name.shard(index, attempt: attempt)
        for store in memory {
            store.damage(name) { bytes in
                let position = bytes.readerIndex + byte
                if let old = bytes.getInteger(at: position, as: UInt8.self) {
                    bytes.setInteger(old ^ 0x10, at: position)
                }
            }
        }
    }

    /// The rows under a range of keys.
    func rows(_ range: Range<KeyBound>) async throws -> [Entry] {
        try await index.scan(Scan(range, limit: 10_000)).entries
    }

    /// The names of all shards on all stores.
    func shards() async throws -> [(store: Int, name: BlobName)] {
        var all: [(store: Int, name: BlobName)] = []
        for (number, store) in memory.enumerated() {
            all += try await store.blobs(after: nil, limit: 100_000).map { (number, $0.name) }
        }
        return all
    }

    /// The record of a blob in the index, as a locator.
    func locator(_ name: BlobName) async throws -> BlobLocator? {
        guard let value = try await value(Keys.blob(name)) else { return nil }
        let location = try BlobRecord(encoded: value).location
        return BlobLocator(
            name: name, length: location.length,
            geometry: try Geometry(
                dataShards: location.dataShards, parityShards: location.parityShards, cellSize: location.cellSize),
            placementEpoch: location.placementEpoch,
            exceptions: location.exceptions.map {
                ShardException(index: $0.index, store: $0.store, attempt: $0.attempt)
            })
    }

    static func location(_ locator: BlobLocator) -> BlobLocation {
        BlobLocation(
            length: locator.length, dataShards: locator.geometry.dataShards,
            parityShards: locator.geometry.parityShards, cellSize: locator.geometry.cellSize,
            placementEpoch: locator.placementEpoch,
            exceptions: locator.exceptions.map {
                BlobLocation.Exception(index: $0.index, store: $0.store, attempt: $0.attempt)
            })
    }
}

/// What workers reported.
final class EventLog: Sendable {
    private let events = Mutex<[WorkerEvent]>([])

    func add(_ event: WorkerEvent) {
        events.withLock { $0.append(event) }
    }

    var all: [WorkerEvent] { events.withLock { $0 } }

    var failures: [WorkerError] {
        all.compactMap { if case .failed(_, let error, _) = $0 { error } else { nil } }
    }
}

/// Asks again and again until something holds, for minutes at most: what the deadline bounds is a test
/// that hangs, not how busy the machine may be.
func eventually(_ what: String, _ holds: () async throws -> Bool) async throws {
    let clock = SystemEnvironment()
    let deadline = clock.monotonicNanoseconds() + 180_000_000_000
    while try await !holds() {
        guard clock.monotonicNanoseconds() < deadline else {
            Issue.record("it never came to pass that \(what)")
            return
        }
        await Task.yield()
    }
}
