import Erasure
import NIOCore
import Pools
import Primitives
import RemoteStore
import Storage
import Synchronization
import Testing
import TidegateTesting

/// A pool of 4+2 shards over six remote stores, of which those at 0 and 1 are reached through fault proxies.
struct LyingPool: Sendable {
    static let geometry = try? Geometry(dataShards: 4, parityShards: 2, cellSize: 1024)

    /// Lies of reads and writes, each by chance. A request meets the first that matches it.
    static let mixture = [
        #"{"operation": "GetObject", "probability": 0.1, "kind": "flip"}"#,
        #"{"operation": "GetObject", "probability": 0.1, "kind": "truncate", "at": 5}"#,
        #"{"operation": "GetObject", "probability": 0.1, "kind": "reset", "at": 5}"#,
        #"{"operation": "GetObject", "probability": 0.1, "kind": "stale"}"#,
        #"{"operation": "GetObject", "probability": 0.1, "kind": "swap"}"#,
        #"{"operation": "GetObject|PutObject", "probability": 0.1, "kind": "error", "status": 500}"#,
        #"{"operation": "GetObject|PutObject", "probability": 0.1, "kind": "error", "code": "SlowDown"}"#,
        #"{"operation": "PutObject", "probability": 0.1, "kind": "lost"}"#,
        #"{"operation": "PutObject", "probability": 0.1, "kind": "error", "status": 500, "forwards": true}"#,
        #"{"operation": "GetObject|PutObject", "probability": 0.1, "kind": "html"}"#,
        #"{"operation": "GetObject|PutObject", "probability": 0.1, "kind": "cut"}"#,
        #"{"operation": "GetObject|PutObject", "probability": 0.1, "kind": "slow", "seconds": 0.05}"#,
    ]

    let pool: ErasurePool
    let stores: [RemoteStore]
    let control: LiarControl
    private let damage: DamageReports

    /// Lends a pool below prefixes of its own. Afterwards no fault is left, and nothing in the stores.
    ///
    /// - Parameters:
    ///   - bufferedBytes: Above this, shards go out in parts.
    ///   - deadline: When a store that hangs is given up.
    static func with(
        _ liar: Liar, bufferedBytes: Int = 1 << 20, deadline: Duration = .seconds(20),
        use: (LyingPool) async throws -> Void
    ) async throws {
        let harness = try LyingPool(liar, bufferedBytes: bufferedBytes, deadline: deadline)
        defer {
            for store in harness.stores { store.close() }
            harness.control.close()
        }
        do {
            try await harness.makeFolders()
            try await use(harness)
        } catch {
            // The next test is to meet its own faults alone.
            try await harness.control.clear()
            throw error
        }
        try await harness.control.clear()
        for store in harness.stores {
            for blob in try await store.blobs(after: nil, limit: 10_000) { try await store.delete(blob.name) }
        }
    }

    private init(_ liar: Liar, bufferedBytes: Int, deadline: Duration) throws {
        let environment = SystemEnvironment()
        let run = environment.random()
        var settings = RemoteStoreSettings()
        settings.bufferedBytes = bufferedBytes
        (settings.retry.firstPause, settings.retry.firstPauseOfThrottling) = (.milliseconds(4), .milliseconds(4))
        stores = try (0..<6).map { position in
            let url = position < 2 ? liar.proxies[position] : liar.honest
            return try RemoteStore(
                name: "store-\(position)",
                endpoint: try RemoteEndpoint(url: url, bucket: "bench", prefix: "lies/\(run)/\(position)"),
                credentials: try RemoteServers.credentials(), settings: settings, environment: environment)
        }
        var configuration = PoolConfiguration(
            deployment: try DeploymentID([UInt8](repeating: 7, count: 16)), geometry: try #require(Self.geometry))
        // A store is asked also where it failed a moment ago: the tests are about what it answers.
        (configuration.suspicion, configuration.shardDeadline) = (.zero, deadline)
        let reports = DamageReports()
        damage = reports
        pool = try ErasurePool(
            stores: stores, configuration: configuration, environment: environment, reporter: { reports.add($1) })
        control = try LiarControl(liar)
    }

    /// rclone's server fails now and then where a folder is made twice at once, which is nobody's lie.
    private func makeFolders() async throws {
        let identity = try #require(StoreIdentity(deployment: Array(0..<16), store: Array(16..<32)))
        for store in stores { try await store.writeIdentity(identity) }
    }

    /// Has both proxies do what a fault says.
    func lie(_ fault: String) async throws {
        for proxy in 0..<2 { try await control.fault(fault, on: proxy) }
    }

    /// How often both proxies have done a fault.
    func count() async throws -> Int {
        var count = 0
        for proxy in 0..<2 { count += try await control.count(on: proxy) }
        return count
    }

    /// Stores a blob whose data shards 0 and 1 are at home on the stores that may lie.
    func store(_ bytes: [UInt8], _ generator: inout SeededGenerator) async throws(StorageError) -> BlobLocator {
        let placement = Placement(epoch: 0, stores: Array(0..<6))
        var name = generator.blobName()
        while Array(placement.order(for: name).prefix(2)) != [0, 1] { name = generator.blobName() }
        return try await pool.store(name, Body(buffers: generator.buffers(of: bytes, most: 3000))) {
            Array("recovery".utf8)
        }
    }

    func fetch(_ locator: BlobLocator, _ range: Range<Int64>) async throws(StorageError) -> [UInt8] {
        var sink: any BodySink = BufferingSink()
        try await pool.fetch(locator, range: range, into: &sink)
        return (sink as? BufferingSink).map { Array($0.bytes.readableBytesView) } ?? []
    }

    /// Reads a blob whole and in parts: every byte is right.
    func expectRight(
        _ locator: BlobLocator, _ bytes: [UInt8], _ when: Comment, at location: SourceLocation = #_sourceLocation
    ) async throws {
        let end = Int64(bytes.count)
        for range in [0..<end, end / 3..<end / 2] {
            let read = try await fetch(locator, range)
            let isRight = read.elementsEqual(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
            #expect(isRight, "\(when): the bytes \(range)", sourceLocation: location)
        }
    }

    /// Both lying stores refuse connections, as if they were gone.
    func withoutLiars(_ work: () async throws -> Void) async throws {
        try await control.clear()
        try await lie(#"{"kind": "refuse"}"#)
        try await work()
        try await control.clear()
    }

    /// The kinds of damage that reads met since this was asked last, by store.
    func takeDamage() -> [Int: Set<ShardDamage.Kind>] {
        var kinds: [Int: Set<ShardDamage.Kind>] = [:]
        for each in damage.take() { kinds[each.store.map { Int($0) } ?? -1, default: []].insert(each.kind) }
        return kinds
    }

    /// Repairs what is still to be repaired, with no fault any more, and shows that nothing is amiss then and that
    /// nothing is left once the blob is removed.
    func expectRepair(_ locator: BlobLocator, _ bytes: [UInt8]) async throws {
        let report = try await pool.repair(locator)
        #expect(report.isWhole)
        try await pool.discard(report)
        let statuses = try await pool.verify(report.locator)
        #expect(statuses.map(\.state) == Array(repeating: .sound, count: 6))
        #expect(Set(statuses.map(\.store)).count == 6)
        try await expectRight(report.locator, bytes, "repaired")
        _ = takeDamage()
        try await withoutLiars { try await expectRight(report.locator, bytes, "repaired, without the liars") }
        _ = takeDamage()
        try await pool.remove(report.locator)
    }

    /// Nothing lies in any store.
    func expectNothingLeft() async throws {
        for store in stores {
            let left = try await store.blobs(after: nil, limit: 100)
            #expect(left == [], "\(store.name)")
        }
    }
}

/// What the pool reported.
private final class DamageReports: Sendable {
    private let reports = Mutex<[ShardDamage]>([])

    func add(_ damage: ShardDamage) {
        reports.withLock { $0.append(damage) }
    }

    func take() -> [ShardDamage] {
        reports.withLock { reports in
            defer { reports = [] }
            return reports
        }
    }
}
