import Gateway
import Metadata
import NIOCore
import Pools
import Primitives
import S3Model
import Simulation
import Storage
import Synchronization
import Testing
import Workers

/// How long the bytes of objects stay, and where they are found.
@Suite("Lifetime of blobs")
struct BlobLifetimeTests {
    private static let content = Content(stringLiteral: String(repeating: "0123456789", count: 1000))

    private func bucket(packs: Bool) async throws -> GatewayHarness {
        let harness = try await GatewayHarness(packs: packs)
        try await harness.root.put("/bucket")
        return harness
    }

    // MARK: Repair

    /// Loses a shard, has it repaired as a read reports it, and removes what the repair replaced.
    private func loseAndRepair(_ harness: GatewayHarness, store: Int) async throws {
        let shards = try await harness.memory[store].blobs(after: nil, limit: 10)
        for shard in shards { try await harness.memory[store].delete(shard.name) }
        let queue = DamageQueue(environment: harness.environment)
        for shard in shards {
            let index = try #require(shard.name.shard?.index)
            queue.report(
                shard.name, ShardDamage(index: index, store: UInt16(store), kind: .missing, detail: "lost by the test"))
        }
        try await queue.flush(harness.workers)
        let repair = RepairService(
            commits: harness.workers, pool: harness.pool, queue: queue, horizon: harness.gateway.horizon,
            claims: BlobClaims(), environment: harness.environment, region: GatewayHarness.region)
        #expect(try await repair.repairPass() == shards.count)
        #expect(try await harness.rows("d").isEmpty, "the repair left damage")
    }

    @Test("An object all of whose shards were moved by repairs is read", arguments: [true, false])
    func moved(packs: Bool) async throws {
        let harness = try await bucket(packs: packs)
        try await harness.root.put("/bucket/key", Self.content)
        for store in harness.memory.indices { try await loseAndRepair(harness, store: store) }
        let got = try await harness.root.get("/bucket/key")
        #expect(got.status == 200)
        #expect(got.body == Self.content.bytes)
        #expect(try await harness.root.copy("bucket/key", to: "/bucket/copy").status == 200)
        #expect(try await harness.root.get("/bucket/copy").body == Self.content.bytes)
    }

    @Test("A read that began before its blob was condemned finds it where it was last")
    func condemned() async throws {
        let harness = try await bucket(packs: false)
        try await harness.root.put("/bucket/key", Self.content)
        let bucket = try await harness.gateway.buckets.bucket("bucket")
        let key = try #require(ObjectKey("key"))
        let version = try #require(try await harness.gateway.versions.current(key, in: bucket.id))
        for store in [0, 1] { try await loseAndRepair(harness, store: store) }
        let reading = harness.gateway.horizon.begin()
        try await harness.root.delete("/bucket/key")
        #expect(try await harness.collectTrash().condemned == 1)
        #expect(try await harness.rows("b").isEmpty)
        var sink: any BodySink = BufferingSink()
        let segment = version.record.segments[0]
        try await harness.gateway.storage.fetch(segment, range: 0..<segment.plainLength, into: &sink)
        #expect((sink as? BufferingSink).map { Array($0.bytes.readableBytesView) } == Self.content.bytes)
        harness.gateway.horizon.end(reading)
    }

    @Test("A later object of a blob leaves the record that a repair wrote")
    func recordStays() async throws {
        let harness = try await bucket(packs: true)
        let moved = BlobRecord(
            location: BlobLocation(
                length: 7, dataShards: 1, parityShards: 1, cellSize: 16384, placementEpoch: 0,
                exceptions: [BlobLocation.Exception(index: 0, store: 2, attempt: 3)]))
        try await changeBlob(harness) { [.put(Keys.blob($0), moved.encoded)] }
        #expect(try await harness.root.put("/bucket/key", "content").status == 200)
        #expect(try await harness.rows("b").map(\.value) == [moved.encoded])
    }

    // MARK: The trash

    /// Before the next commit of an object, changes what the index says of its blob.
    private func changeBlob(_ harness: GatewayHarness, _ change: @escaping @Sendable (BlobName) -> [Mutation])
        async throws
    {
        let blob = Mutex<BlobName?>(nil)
        let name: @Sendable () -> BlobName? = { blob.withLock { $0 } }
        harness.index.before(
            { call in
                guard case .commit(let transaction) = call else { return false }
                let found = transaction.mutations.lazy.compactMap { mutation -> BlobName? in
                    guard case .create(let key, _) = mutation else { return nil }
                    return Keys.blobName(key)
                }.first
                blob.withLock { $0 = found }
                return found != nil
            },
            {
                guard let name = name() else { return }
                await recordingIssues { try await harness.write(change(name)) }
            })
    }

    @Test("A blob that another object has left may be referred to until it is condemned")
    func pending() async throws {
        let harness = try await bucket(packs: true)
        try await changeBlob(harness) { [.put(Keys.trash($0), [])] }
        let commits = harness.index.commitCalls
        #expect(try await harness.root.put("/bucket/key", "content").status == 200)
        #expect(harness.index.commitCalls == commits + 1, "the commit was tried again")
        #expect(try await harness.collectTrash().kept == 1)
        #expect(try await harness.root.get("/bucket/key").text == "content")
        try await IndexLaws.check(harness)
    }

    @Test("Bytes whose blob was condemned have to be sent again", arguments: [TrashRecord.State.condemned, .deleted])
    func condemnedBeforeCommit(state: TrashRecord.State) async throws {
        let harness = try await bucket(packs: true)
        try await changeBlob(harness) { [.put(Keys.trash($0), TrashRecord(state: state).encoded)] }
        let commits = harness.index.commitCalls
        let refused = try await harness.root.put("/bucket/key", "content")
        #expect(refused.outcome == "503 ServiceUnavailable")
        #expect(harness.index.commitCalls <= commits + 2, "the commit was tried again and again")
        #expect(try await harness.root.put("/bucket/key", "content").status == 200)
        #expect(try await harness.root.get("/bucket/key").text == "content")
    }

    // MARK: Failed commits

    @Test("Bytes that no commit refers to are freed", arguments: [true, false])
    func refused(packs: Bool) async throws {
        let harness = try await bucket(packs: packs)
        harness.index.failCommits(.refused)
        #expect(try await harness.root.put("/bucket/key", Self.content).outcome == "503 ServiceUnavailable")
        try await expectNothingStored(harness)
        harness.index.failCommits(.requestLost)
        #expect(try await harness.root.put("/bucket/key", Self.content).outcome == "503 ServiceUnavailable")
        try await expectNothingStored(harness)
        let root = harness.root
        try await changeKey(harness) { _ = try await root.put("/bucket/key", "winner") }
        let loser = try await harness.root.put("/bucket/key", Self.content, ["if-none-match": "*"])
        #expect(loser.outcome == "412 PreconditionFailed")
        #expect(try await harness.root.get("/bucket/key").text == "winner")
        try await harness.root.delete("/bucket/key")
        try await expectNothingStored(harness)
    }

    /// Before the next commit that makes an object current, does something else.
    private func changeKey(_ harness: GatewayHarness, _ act: @escaping @Sendable () async throws -> Void) async throws {
        let bucket = try await harness.gateway.buckets.bucket("bucket")
        harness.index.beforeCommit(of: Keys.live(bucket.id, try #require(ObjectKey("key")))) {
            await recordingIssues(act)
        }
    }

    private func expectNothingStored(
        _ harness: GatewayHarness, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await harness.collectTrash()
        #expect(try await harness.storedBlobs() == 0, "bytes were left", sourceLocation: sourceLocation)
        #expect(try await harness.rows("r").isEmpty, sourceLocation: sourceLocation)
        try await IndexLaws.check(harness, sourceLocation: sourceLocation)
    }

    @Test("Bytes stay where nobody can tell whether a commit refers to them")
    func undecided() async throws {
        let harness = try await bucket(packs: false)
        let index = harness.index
        try await changeKey(harness) { index.isAvailable = false }
        index.failCommits(.answerLost)
        #expect(try await harness.root.put("/bucket/key", Self.content).outcome == "500 InternalError")
        index.isAvailable = true
        #expect(try await harness.root.get("/bucket/key").body == Self.content.bytes)
        try await IndexLaws.check(harness)
    }

    @Test("A part of an upload that was aborted meanwhile is freed", arguments: [true, false])
    func lostPart(packs: Bool) async throws {
        let harness = try await bucket(packs: packs)
        let root = harness.root
        let upload = try await root.startUpload("/bucket/key")
        try await root.put("/bucket/source", Self.content)
        for copies in [true, false] {
            harness.index.before(
                { call in
                    guard case .commit(let transaction) = call else { return false }
                    return transaction.mutations.contains { $0.key.starts(with: [0x03, UInt8(ascii: "r")]) }
                },
                {
                    await recordingIssues { try await root.delete("/bucket/key?uploadId=\(upload)") }
                })
            let part = "/bucket/key?partNumber=1&uploadId=\(upload)"
            let answer =
                copies
                ? try await root.copy("bucket/source", to: part) : try await root.putPart("/bucket/key", upload, 1, "x")
            #expect(answer.outcome == "404 NoSuchUpload")
        }
        try await root.delete("/bucket/source")
        try await expectNothingStored(harness)
    }

    @Test("Of a blob that objects share, one is given up without the others")
    func shared() async throws {
        let harness = try await bucket(packs: true)
        let storage = harness.gateway.storage
        var segments: [Segment] = []
        for _ in 0..<50 where !segments.contains(where: \.sharesBlob) {
            segments += try await withThrowingTaskGroup(of: [Segment].self) { group in
                for number in 0..<32 {
                    group.addTask {
                        let bytes = Array("object \(number)".utf8)
                        return try await storage.store(Body(bytes), length: Int64(bytes.count), group: 1) { _ in [] }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
        }
        let given = try #require(segments.first { $0.sharesBlob }, "no two objects share a blob")
        let kept = try #require(segments.first { $0.blob == given.blob && $0 != given })
        await storage.discard([given])
        var changes = Changes()
        changes.refer(to: [kept], from: [1], at: harness.now)
        _ = try await harness.gateway.commits.commit(changes, records: [])
        #expect(try await harness.collectTrash().kept == 1)
        var sink: any BodySink = BufferingSink()
        try await storage.fetch(kept, range: 0..<kept.plainLength, into: &sink)
        #expect((sink as? BufferingSink)?.bytes.readableBytes == Int(kept.plainLength))
        // Once nobody refers to any of it, the blob goes.
        var release = Changes()
        release.release([kept])
        _ = try await harness.gateway.commits.commit(release, records: [])
        let blobs = try await harness.storedBlobs()
        #expect(try await harness.collectTrash().deleted == 1)
        #expect(try await harness.storedBlobs() == blobs - 1)
    }
}
