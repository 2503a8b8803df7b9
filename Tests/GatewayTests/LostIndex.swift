import Gateway
import Metadata
import NIOCore
import Pools
import Primitives
import Storage
import Synchronization
import Testing
import TidegateTesting
import Workers

/// The loss of the index and its recovery, as far as they go without the journal's own format.
extension GatewayHarness {
    /// What a recovery had to go by.
    struct Loss: Sendable {
        /// The last commit that the journal has.
        var through: CommitVersion
        /// The commit from which on it tells of changes.
        var floor: CommitVersion = 0
        /// The stores as they are found; nil for those of the gateway.
        var stores: [MemoryStore]?
    }

    /// The last commit.
    func lastCommit() async throws -> CommitVersion { try await index.memory.kept().last }

    /// Copies of the stores.
    func copiedStores() async throws -> [MemoryStore] {
        var copies: [MemoryStore] = []
        for store in memory {
            let copy = MemoryStore()
            for blob in try await store.blobs(after: nil, limit: .max) {
                var sink: any BodySink = BufferingSink()
                try await store.read(blob.name, range: 0..<blob.length, into: &sink)
                let bytes = try #require(sink as? BufferingSink).bytes
                _ = try await copy.write(blob.name, Body(bytes))
            }
            copies.append(copy)
        }
        return copies
    }

    /// The same deployment after its index was lost and came back, on copies of its stores.
    func recovered(_ loss: Loss) async throws -> (harness: GatewayHarness, report: TailReport) {
        let changes = try await index.memory.changes(after: 0, limit: .max).filter { $0.version <= loss.through }
        let memory = MemoryIndex()
        try await memory.replay(changes)
        let begun = try await EpochKeeper(index: memory, environment: environment, node: "recovered")
            .begin(above: session.workers, deployment: session.deployment.id, isRecovered: true)
        let stores = if let stores = loss.stores { stores } else { try await copiedStores() }
        let next = try GatewayHarness(shape, over: stores, ScriptedIndex(memory), begun, environment)
        var segments = JournalledSegments()
        for change in changes { segments.note(change) }
        #expect(segments.malformed == 0)
        let knowledge = JournalKnowledge(
            through: loss.through, floor: loss.floor, segments: segments,
            writers: LostWriters(live: begun.ended, unknown: begun.unknown))
        var report = TailReport()
        try await TailRecovery(
            next.index, commits: next.gateway.commits, pool: next.pool, environment: environment,
            region: shape.region
        ).run(knowledge, &report)
        return (next, report)
    }

    /// Gives up what nothing names, and removes it.
    func collectEverything() async throws {
        let marks = Mutex([UInt64](repeating: 0, count: memory.count))
        let deployment = session.deployment.id
        let collected = stores.enumerated().map { number, store in
            CollectedStore(
                number: number, store: store,
                identity: { () throws(StorageError) in
                    var identity = StoreIdentity(
                        deployment: deployment, store: [UInt8](repeating: UInt8(number), count: 16))
                    identity?.highWaterMark = marks.withLock { $0[number] }
                    return identity
                }, mark: { identity throws(StorageError) in marks.withLock { $0[number] = identity.highWaterMark } })
        }
        var settings = OrphanCollector.Settings()
        settings.quarantine = .zero
        let orphans = OrphanCollector(
            commits: workers, session: session, pool: pool, stores: collected, claims: BlobClaims(),
            environment: environment, settings: settings)
        try await orphans.acceptLoss(records: [])
        while try await collectTrash().didWork {}
        for _ in 0..<3 { _ = try await orphans.pass() }
    }

    /// Stores bytes with a footer, and leaves it at that: what a write leaves that ends before its commit.
    func storeOnly(_ bytes: [UInt8], _ record: RecoveryRecord?) async throws -> Segment {
        let segments = try await gateway.storage.store(
            Body(buffers: S3Client.pieces(bytes)), length: Int64(bytes.count), group: 1,
            recovery: { _ in record?.encoded ?? [] })
        return try #require(segments.first)
    }

    /// What a footer says of an object.
    func record(_ key: String, _ bytes: [UInt8], after: CommitVersion? = nil) async throws -> RecoveryRecord {
        var version = VersionRecord()
        (version.size, version.etag, version.modified) = (Int64(bytes.count), "e", now)
        version.uid = environment.random()
        var record = RecoveryRecord(
            bucketName: "bucket", bucket: try await bucketID(), key: try #require(ObjectKey(key)), version: version)
        record.moment = RecoveryRecord.Moment(after: after ?? gateway.commits.latest, time: now)
        return record
    }
}
