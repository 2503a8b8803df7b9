import Erasure
import NIOCore
import Pools
import Primitives
import Storage
import Synchronization
import TidegateTesting

/// A pool over stores in memory whose faults a test decides.
struct PoolHarness {
    let memory: [MemoryStore]
    let faulty: [FaultyStore]
    let pool: ErasurePool
    let damage: DamageLog
    let deployment: DeploymentID

    init(
        stores count: Int = 6, geometry: Geometry? = nil, environment: any Environment = SystemEnvironment(),
        launcher: TaskLauncher = .concurrent,
        wrap: (Int, any BlobStore) -> any BlobStore = { $1 },
        configure: (inout PoolConfiguration) -> Void = { _ in }
    ) throws {
        memory = (0..<count).map { _ in MemoryStore() }
        faulty = memory.map { FaultyStore($0, environment: environment) }
        deployment = try DeploymentID([UInt8](repeating: 7, count: 16))
        var configuration = PoolConfiguration(
            deployment: deployment,
            geometry: try geometry ?? Geometry(dataShards: 4, parityShards: 2, cellSize: 1024))
        // Most tests are about failures that come one after the other, not about a store's reputation.
        configuration.suspicion = .zero
        configure(&configuration)
        let log = DamageLog()
        damage = log
        pool = try ErasurePool(
            stores: faulty.enumerated().map { wrap($0.offset, $0.element) }, configuration: configuration,
            environment: environment, launcher: launcher, reporter: { log.add($0, $1) })
    }

    func store(_ bytes: [UInt8], _ generator: inout SeededGenerator) async throws -> BlobLocator {
        try await pool.store(generator.blobName(), Body(buffers: generator.buffers(of: bytes, most: 3000))) {
            Array("recovery".utf8)
        }
    }

    func fetch(_ locator: BlobLocator, _ range: Range<Int>? = nil) async throws(StorageError) -> [UInt8] {
        var sink: any BodySink = BufferingSink()
        let range = range.map { Int64($0.lowerBound)..<Int64($0.upperBound) } ?? 0..<locator.length
        try await pool.fetch(locator, range: range, into: &sink)
        return (sink as? BufferingSink).map { Array($0.bytes.readableBytesView) } ?? []
    }

    /// The shards that the stores hold, and which store holds each.
    func shards() async throws -> [(store: Int, summary: BlobSummary)] {
        var all: [(store: Int, summary: BlobSummary)] = []
        for (store, memory) in memory.enumerated() {
            all += try await memory.blobs(after: nil, limit: 10_000).map { (store, $0) }
        }
        return all.sorted { $0.summary.name < $1.summary.name }
    }

    /// Flips a bit of a shard.
    func flip(_ name: BlobName, byte: Int, in store: Int) {
        memory[store].damage(name) { bytes in
            let index = bytes.readerIndex + byte
            if let old = bytes.getInteger(at: index, as: UInt8.self) { bytes.setInteger(old ^ 0x10, at: index) }
        }
    }
}

/// What the pool reported.
final class DamageLog: Sendable {
    private let entries = Mutex<[ShardDamage]>([])

    func add(_ name: BlobName, _ damage: ShardDamage) {
        entries.withLock { $0.append(damage) }
    }

    var all: [ShardDamage] { entries.withLock { $0 } }

    func clear() {
        entries.withLock { $0 = [] }
    }
}

/// A store whose writes, or reads, stay where they are until it is let go.
final class HangingStore: BlobStore {
    private struct State {
        var hangs: Set<StoreCall.Operation> = []
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let base: any BlobStore
    private let state = Mutex(State())

    init(_ base: any BlobStore) { self.base = base }

    /// Calls that hang now.
    var waiters: Int { state.withLock { $0.waiters.count } }

    func hang(_ operations: Set<StoreCall.Operation>) {
        state.withLock { $0.hangs = operations }
    }

    func letGo() {
        let waiters = state.withLock { state in
            state.hangs = []
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func pass(_ operation: StoreCall.Operation) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let hangs = state.withLock { state in
                guard state.hangs.contains(operation) else { return false }
                state.waiters.append(continuation)
                return true
            }
            if !hangs { continuation.resume() }
        }
    }

    func write(_ name: BlobName, _ body: consuming Body) async throws(StorageError) -> BlobReceipt {
        await pass(.write)
        return try await base.write(name, body)
    }

    func read(_ name: BlobName, range: Range<Int64>, into sink: inout any BodySink) async throws(StorageError) {
        await pass(.read)
        try await base.read(name, range: range, into: &sink)
    }

    func delete(_ name: BlobName) async throws(StorageError) {
        await pass(.delete)
        try await base.delete(name)
    }

    func blobs(after: BlobName?, limit: Int) async throws(StorageError) -> [BlobSummary] {
        await pass(.list)
        return try await base.blobs(after: after, limit: limit)
    }
}
