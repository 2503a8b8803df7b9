import Gateway
import Metadata
import NIOCore
import Pools
import Primitives
import S3Model
import Simulation
import Storage
import Testing
import TidegateTesting
import Workers

/// Which footers are believed, and which are not.
@Suite("Footers that a recovery finds")
struct FooterTests {
    private static let bytes = [UInt8](repeating: 7, count: 5000)

    @Test("What was stored and not committed comes back while it may have been under way, and not later")
    func underWay() async throws {
        let harness = try await GatewayHarness.withBucket(packs: false)
        let early = try await harness.lastCommit()
        _ = try await harness.storeOnly(Self.bytes, harness.record("key", Self.bytes))
        let stored = try await harness.lastCommit()
        let atOnce = try await harness.recovered(.init(through: stored))
        #expect(atOnce.report.objects == 1)
        #expect(try await atOnce.harness.root.get("/bucket/key").body == Self.bytes)

        // Another request a while later: whoever sent the first one has given it up by now.
        harness.advance(by: .seconds(899))
        try await harness.root.put("/bucket/other", "a")
        #expect(try await harness.recovered(.init(through: harness.lastCommit())).report.objects == 1)
        harness.advance(by: .seconds(2))
        try await harness.root.put("/bucket/other", "b")
        let last = try await harness.lastCommit()
        #expect(try await harness.recovered(.init(through: last)).report.left == [.old: 1])
        // It is the journal's end that counts, and not the time of the recovery.
        harness.advance(by: .seconds(100_000))
        #expect(try await harness.recovered(.init(through: early)).report.objects == 3)
    }

    @Test("What was given up is not put over a later object that is acknowledged")
    func superseded() async throws {
        for versioning in [nil, "Suspended", "Enabled"] {
            let harness = try await GatewayHarness.withBucket(versioning: versioning, packs: false)
            _ = try await harness.storeOnly(Self.bytes, harness.record("key", Self.bytes))
            harness.advance(by: .seconds(1))
            try await harness.root.put("/bucket/key", "later")
            let (recovered, report) = try await harness.recovered(.init(through: harness.lastCommit()))
            // Where it takes nothing away it may come.
            #expect(report.left == (versioning == "Enabled" ? [:] : [.superseded: 1]))
            let sizes = try await recovered.root.get("/bucket?versions").texts("Version/Size")
            #expect(sizes == (versioning == "Enabled" ? ["5000", "5"] : ["5"]))
            try await IndexLaws.check(recovered)
        }
    }

    @Test("Of two conditional creations that went on at once, one comes back")
    func condition() async throws {
        let harness = try await GatewayHarness.withBucket()
        let cut = try await harness.lastCommit()
        async let one = harness.root.put("/bucket/key", "one", ["if-none-match": "*"])
        async let two = harness.root.put("/bucket/key", "two", ["if-none-match": "*"])
        let statuses = try await [one.status, two.status]
        #expect(statuses.sorted() == [200, 412])
        let (recovered, report) = try await harness.recovered(.init(through: cut))
        #expect(report.objects == 1)
        #expect([[:], [.condition: 1]].contains(report.left), "one that had no company is removed at once")
        #expect(["one", "two"].contains(try await recovered.root.get("/bucket/key").text))
        // One that was refused stays away from what it was refused for.
        let known = try await harness.recovered(.init(through: harness.lastCommit()))
        #expect(known.report.objects == 0)
        let winner = try await harness.root.get("/bucket/key").text
        #expect(try await known.harness.root.get("/bucket/key").text == winner)
    }

    @Test("A condition on the tag of what is there is held against what came back")
    func ifMatch() async throws {
        let harness = try await GatewayHarness.withBucket()
        let one = try await harness.root.put("/bucket/key", "one")
        let cut = try await harness.lastCommit()
        let two = try await harness.root.put("/bucket/key", "two", ["if-match": one.etag ?? ""])
        #expect(two.status == 200)
        #expect(try await harness.root.put("/bucket/key", "three", ["if-match": two.etag ?? ""]).status == 200)
        let (recovered, report) = try await harness.recovered(.init(through: cut))
        #expect(report.objects == 2)
        #expect(try await recovered.root.get("/bucket/key").text == "three")
        let without = try await harness.recovered(.init(through: cut - 1))
        #expect(without.report.objects == 3)
        #expect(try await without.harness.root.get("/bucket/key").text == "three")
    }

    @Test("Blobs of an epoch that had ended are not looked at")
    func endedEpoch() async throws {
        let harness = try await GatewayHarness.withBucket(packs: false)
        _ = try await harness.storeOnly(Self.bytes, harness.record("key", Self.bytes))
        _ = try await EpochKeeper(index: harness.index, environment: harness.environment, node: "next").begin()
        let (_, report) = try await harness.recovered(.init(through: harness.lastCommit()))
        #expect(report == TailReport())
        // As long as the journal does not say that it ended, it is.
        let before = try await harness.recovered(.init(through: harness.lastCommit() - 1))
        #expect(before.report.objects == 1)
    }

    @Test("A process that began after the journal's end is known by the names of its blobs")
    func laterProcess() async throws {
        let harness = try await GatewayHarness.withBucket()
        let cut = try await harness.lastCommit()
        try await harness.root.put("/bucket/key", "first")
        let session = try await EpochKeeper(index: harness.index, environment: harness.environment, node: "next")
            .begin()
        let next = try GatewayHarness(
            harness.shape, over: harness.memory, harness.index, session, harness.environment)
        try await next.root.put("/bucket/key", "second")
        try await next.root.put("/bucket/other", "other")
        let (recovered, report) = try await next.recovered(.init(through: cut))
        #expect(report.objects == 3)
        #expect(try await recovered.root.get("/bucket/key").text == "second")
        #expect(try await recovered.root.get("/bucket/other").text == "other")
        // It draws epochs above all that any store has seen.
        #expect(recovered.session.gateway > session.workers)
    }

    @Test("What a footer does not say is not guessed")
    func silent() async throws {
        let harness = try await GatewayHarness.withBucket(packs: false)
        var record = try await harness.record("key", Self.bytes)
        record.moment = nil
        _ = try await harness.storeOnly(Self.bytes, record)
        _ = try await harness.storeOnly(Self.bytes, nil)
        var short = try await harness.record("short", Self.bytes)
        short.version.size += 1
        _ = try await harness.storeOnly(Self.bytes, short)
        var manifest = try await harness.record("manifest", Self.bytes)
        manifest.version.hasManifest = true
        _ = try await harness.storeOnly(Self.bytes, manifest)
        var foreign = try await harness.record("foreign", Self.bytes)
        foreign.bucket.value += 1
        _ = try await harness.storeOnly(Self.bytes, foreign)
        let (_, report) = try await harness.recovered(.init(through: harness.lastCommit()))
        #expect(report.objects == 0)
        #expect(report.left == [.silent: 2, .unreadable: 2, .bucket: 1])
    }

    @Test("An object of several blobs comes back whole, or not at all")
    func long() async throws {
        let harness = try await GatewayHarness.withBucket(packs: false)
        let all = harness.environment.randomBytes(9000)
        let first = try await harness.storeOnly(Array(all.prefix(4000)), nil)
        let second = try await harness.storeOnly(Array(all[4000..<8000]), nil)
        _ = try await harness.storeOnly([1, 2, 3], nil)
        var record = try await harness.record("key", all)
        record.earlier = [first.blob, second.blob]
        _ = try await harness.storeOnly(Array(all.suffix(1000)), record)
        let last = try await harness.lastCommit()
        let (recovered, report) = try await harness.recovered(.init(through: last))
        #expect(report.objects == 1 && report.left == [.silent: 1])
        #expect(try await recovered.root.get("/bucket/key").body == all)
        try await IndexLaws.check(recovered)
        try await recovered.collectEverything()
        #expect(try await recovered.root.get("/bucket/key").body == all)
        #expect(try await recovered.storedBlobs() == 3)

        try await harness.pool.delete(second.blob)
        let torn = try await harness.recovered(.init(through: last))
        #expect(torn.report.objects == 0 && torn.report.left == [.unreadable: 1, .silent: 1])
    }

    @Test("Up to m shards may be missing, which are then on the queue of repairs")
    func missingShards() async throws {
        let harness = try await GatewayHarness.withBucket(packs: false)
        let cut = try await harness.lastCommit()
        try await harness.root.put("/bucket/key", Content(Self.bytes))
        for shard in try await harness.memory[1].blobs(after: nil, limit: 10) {
            try await harness.memory[1].delete(shard.name)
        }
        let one = try await harness.recovered(.init(through: cut))
        #expect(one.report.objects == 1)
        #expect(try await one.harness.root.get("/bucket/key").body == Self.bytes)
        #expect(try await one.harness.rows("d").count == 1)
        for shard in try await harness.memory[2].blobs(after: nil, limit: 10) {
            try await harness.memory[2].delete(shard.name)
        }
        let two = try await harness.recovered(.init(through: cut))
        #expect(two.report.objects == 0 && two.report.left == [.unreadable: 1])
    }

    @Test("What is damaged beyond reading takes no other object's place, and is no part")
    func damagedCells() async throws {
        let harness = try await GatewayHarness.withBucket(packs: false)
        try await harness.root.put("/bucket/key", "first")
        let upload = try await harness.root.startUpload("/bucket/other")
        let (cut, old) = (try await harness.lastCommit(), try await harness.memory[2].blobs(after: nil, limit: 10))
        try await harness.root.put("/bucket/key", Content(Self.bytes))
        try await harness.root.putPart("/bucket/other", upload, 1, Content(Self.bytes))
        let new = try await harness.memory[2].blobs(after: nil, limit: 10).filter { !old.contains($0) }
        #expect(new.count == 2)
        for shard in new {
            // The first byte after the header: the footer stays as it is.
            try await harness.memory[2].flip(shard, at: 72)
        }
        let one = try await harness.recovered(.init(through: cut))
        #expect(one.report.objects == 1 && one.report.parts == 1)
        #expect(try await one.harness.root.get("/bucket/key").body == Self.bytes)
        for shard in try await harness.memory[1].blobs(after: nil, limit: 10)
        where new.contains(where: { $0.name.whole == shard.name.whole }) {
            try await harness.memory[1].delete(shard.name)
        }
        let two = try await harness.recovered(.init(through: cut))
        #expect(two.report.objects == 0 && two.report.parts == 0 && two.report.left == [.unreadable: 2])
        #expect(try await two.harness.root.get("/bucket/key").text == "first")
        try await IndexLaws.check(two.harness)
    }

    @Test("It comes to the same when it is done again")
    func again() async throws {
        let harness = try await GatewayHarness.withBucket()
        let cut = try await harness.lastCommit()
        for number in 0..<20 { try await harness.root.put("/bucket/\(number % 7)", "content \(number)") }
        var listings: [[String]] = []
        for _ in 0..<2 {
            let (recovered, report) = try await harness.recovered(.init(through: cut))
            #expect(report.objects == 20)
            listings.append(try await recovered.root.get("/bucket?list-type=2").texts("Contents/ETag"))
        }
        #expect(listings[0] == listings[1] && listings[0].count == 7)
    }

    // MARK: The record

    @Test("Every field of a recovery record is read back")
    func coding() async throws {
        let harness = try await GatewayHarness.withBucket()
        var record = try await harness.record("key", Self.bytes, after: 77)
        record.version.checksum = StoredChecksum(algorithm: "CRC64NVME", value: [1, 2, 3], isComposite: false)
        record.version.recovered = harness.now
        (record.upload, record.partNumber) = (UploadID(started: harness.now, random: 5), 7)
        record.earlier = [BlobName(epoch: 3, counter: 1, random: 2), BlobName(epoch: 3, counter: 2, random: 9)]
        record.preconditions = Preconditions(ifMatch: ["a", "b"], ifNoneMatch: ["c", "*"])
        #expect(try RecoveryRecord(encoded: record.encoded) == record)
        for count in record.encoded.indices {
            let cut = try? RecoveryRecord(encoded: Array(record.encoded.prefix(count)))
            #expect(cut != record)
        }
    }

    @Test("A record of the first release is read, and says nothing of its time")
    func firstRelease() throws {
        // Bucket `b`, id 5, key `k`, a version of size 9 with the tag `e`.
        let bytes = "030162" + "0405" + "07016b" + "09050a09" + "0d0165"
        let record = try RecoveryRecord(encoded: try #require(Hex.decode(bytes)))
        #expect(record.bucketName == "b" && record.bucket == BucketID(5) && record.key == ObjectKey("k"))
        #expect(record.version.size == 9 && record.version.etag == "e")
        #expect(record.moment == nil && record.earlier.isEmpty && record.preconditions.isEmpty)
    }

    @Test("A time of zero is none, so that a record is the same once it is written again")
    func noTime() throws {
        let named = "030162" + "07016b"
        let dated = try RecoveryRecord(encoded: try #require(Hex.decode(named + "0e05" + "1001")))
        #expect(dated.moment == .init(after: 5, time: Timestamp(nanoseconds: 1)))
        let undated = try RecoveryRecord(encoded: try #require(Hex.decode(named + "0e05" + "1000")))
        #expect(undated.moment == nil)
        #expect(try RecoveryRecord(encoded: undated.encoded) == undated)
    }

    @Test("A part whose upload has no id is no object")
    func damagedUpload() throws {
        for upload in ["0b00", "0b020102", "0a04"] {
            let bytes = try #require(Hex.decode("030162" + "07016b" + upload + "0c07"))
            #expect(throws: RecordError.malformed) { try RecoveryRecord(encoded: bytes) }
        }
        let large = try #require(Hex.decode("030162" + "07016b" + "0cffffffffffffffffff01"))
        #expect(throws: RecordError.malformed) { try RecoveryRecord(encoded: large) }
    }
}

extension MemoryStore {
    /// Flips a bit of a blob.
    fileprivate func flip(_ blob: BlobSummary, at offset: Int) async throws {
        var sink: any BodySink = BufferingSink()
        try await read(blob.name, range: 0..<blob.length, into: &sink)
        var bytes = try #require(sink as? BufferingSink).bytes
        let byte = try #require(bytes.getInteger(at: bytes.readerIndex + offset, as: UInt8.self))
        bytes.setInteger(byte ^ 1, at: bytes.readerIndex + offset)
        try await delete(blob.name)
        _ = try await write(blob.name, Body(bytes))
    }
}
