import Gateway
import Metadata
import Primitives
import Simulation
import Storage
import Testing
import TidegateTesting
import Workers

/// A history of acknowledged writes, and what must be there of it once the index was lost after some commit.
private struct History {
    /// What one commit did to a key; no body for a deletion.
    struct Act: Sendable {
        var key: String
        var commit: CommitVersion
        var body: [UInt8]?
    }

    static let keys = (0..<6).map { "key \($0)" }

    let harness: GatewayHarness
    let random: LawRandom
    var acts: [Act] = []

    private func target(_ key: String) -> String { "/bucket/" + key.replacingSpaces }

    private func body(isLarge: Bool) -> [UInt8] {
        harness.environment.randomBytes(isLarge ? 140_000 : 1 + Int(random.below(3000)))
    }

    /// The commit that made what is current.
    private func commit(of key: String) async throws -> CommitVersion {
        let row = Keys.live(try await harness.bucketID(), try #require(ObjectKey(key)))
        return try #require(try await harness.index.memory.values(of: [row])[0]).version
    }

    mutating func goOn(_ steps: Int) async throws {
        for _ in 0..<steps {
            let key = Self.keys[Int(random.below(6))]
            switch random.below(10) {
            case 0..<3: try await put(key, body(isLarge: false))
            case 3: try await put(key, body(isLarge: true))
            case 4, 5: try await batch()
            case 6, 7:
                #expect(try await harness.root.delete(target(key)).status == 204)
                acts.append(Act(key: key, commit: try await harness.lastCommit(), body: nil))
            case 8: try await copy(to: key)
            default:
                // The tags go with whatever is current, and change nothing of its bytes.
                let tagged = try await harness.root.put(target(key) + "?tagging", Documents.tagging([("a", "b")]))
                #expect([200, 404].contains(tagged.status))
            }
            harness.advance(by: .milliseconds(20))
        }
    }

    private mutating func put(_ key: String, _ body: [UInt8]) async throws {
        let answer = try await harness.root.put(
            target(key), Content(body), ["content-type": "text/x", "x-amz-meta-size": String(body.count)])
        #expect(answer.status == 200)
        acts.append(Act(key: key, commit: try await commit(of: key), body: body))
    }

    /// Some at once, which share blobs.
    private mutating func batch() async throws {
        let bodies = Dictionary(uniqueKeysWithValues: Self.keys.prefix(4).map { ($0, body(isLarge: false)) })
        let harness = harness
        await withTaskGroup(of: Void.self) { group in
            for (key, body) in bodies {
                let target = target(key)
                group.addTask {
                    await recordingIssues {
                        let headers: HeaderFields = [
                            "content-type": "text/x", "x-amz-meta-size": String(body.count),
                        ]
                        let answer = try await harness.root.put(target, Content(body), headers)
                        #expect(answer.status == 200)
                    }
                }
            }
        }
        for (key, body) in bodies { acts.append(Act(key: key, commit: try await commit(of: key), body: body)) }
    }

    private mutating func copy(to key: String) async throws {
        let others = Self.keys.filter { $0 != key }.compactMap { other in acts.last { $0.key == other } }
        guard let found = others.first(where: { $0.body != nil }), let body = found.body else { return }
        let source = found.key
        let copied = try await harness.root.copy("bucket/" + source.replacingSpaces, to: target(key))
        #expect(copied.status == 200)
        acts.append(Act(key: key, commit: try await commit(of: key), body: body))
    }

    /// Holds what came back against what was acknowledged. Deletions after the cut are lost.
    func check(_ recovered: GatewayHarness, cut: CommitVersion) async throws {
        for key in Self.keys {
            let all = acts.filter { $0.key == key }
            let before = all.last { $0.commit <= cut }
            let after = all.last { $0.commit > cut && $0.body != nil }
            let got = try await recovered.root.get(target(key))
            let context = "\(key) after the cut at \(cut) of \(all.map { "\($0.commit): \($0.body?.count ?? -1)" })"
            guard let body = after?.body ?? before?.body else {
                #expect(got.status == 404, "\(context)")
                continue
            }
            #expect(got.status == 200 && got.body == body, "\(context)")
            #expect(got["content-type"] == "text/x" && got["x-amz-meta-size"] == String(body.count), "\(context)")
            #expect((got["x-tidegate-recovered"] != nil) == (after != nil), "\(context)")
            let head = try await recovered.root.head(target(key), ["x-amz-checksum-mode": "ENABLED"])
            #expect(head["x-amz-checksum-crc64nvme"] != nil && head.etag == got.etag, "\(context)")
        }
    }
}

extension String {
    /// A target as a request line has it.
    fileprivate var replacingSpaces: String { split(separator: " ").joined(separator: "%20") }
}

/// What the journal's tail missed comes back from footers, and nothing else.
@Suite("Recovery of the journal's tail")
struct LostTailTests {
    @Test("Wherever the journal ends, later puts are there, and nothing that was deleted before", arguments: [1, 2])
    func everyCut(seed: UInt64) async throws {
        let harness = try await GatewayHarness.withBucket(cell: 16 << 10, seed: seed)
        let first = try await harness.lastCommit()
        var history = History(harness: harness, random: LawRandom(seed: seed))
        try await history.goOn(30)
        for cut in first...(try await harness.lastCommit()) {
            let (recovered, report) = try await harness.recovered(.init(through: cut))
            #expect(report.left.isEmpty, "\(report) at \(cut)")
            try await history.check(recovered, cut: cut)
            try await IndexLaws.check(recovered)
            try await recovered.collectEverything()
            try await history.check(recovered, cut: cut)
            #expect(try await recovered.storedBlobs() == recovered.rows("b").count)
        }
    }

    @Test("What was deleted and collected stays away, though all its shards are found again", arguments: [true, false])
    func deleted(packs: Bool) async throws {
        let harness = try await GatewayHarness.withBucket(packs: packs)
        for number in 0..<4 { try await harness.root.put("/bucket/\(number)", "content \(number)") }
        let before = try await harness.copiedStores()
        for number in 0..<4 { try await harness.root.delete("/bucket/\(number)") }
        try await harness.root.put("/bucket/2", "newer")
        // Tombstones go while the process lives, so that the index knows no more of the blobs than the journal tells.
        var settings = TrashCollector.Settings()
        settings.writers = (harness.session.gateway, harness.gateway.sharing)
        let collector = TrashCollector(
            commits: harness.workers, pool: harness.pool, horizon: harness.gateway.horizon, claims: BlobClaims(),
            environment: harness.environment, settings: settings)
        while try await collector.pass().didWork {}
        #expect(try await harness.rows("t").isEmpty)
        let last = try await harness.lastCommit()
        let (recovered, report) = try await harness.recovered(.init(through: last, stores: before))
        #expect(report.objects == 0)
        #expect(try await recovered.root.get("/bucket?list-type=2").texts("Contents/Key") == ["2"])
        // Where the journal does not go back as far, what is older than it is left.
        let later = try await harness.copiedStores()
        for (store, old) in zip(later, before) {
            for blob in try await old.blobs(after: nil, limit: 100) {
                var sink: any BodySink = BufferingSink()
                try await old.read(blob.name, range: 0..<blob.length, into: &sink)
                _ = try await store.write(blob.name, Body(try #require(sink as? BufferingSink).bytes))
            }
        }
        let short = try await harness.recovered(.init(through: last, floor: last, stores: later))
        #expect(short.report.objects == 0)
        #expect(try await short.harness.root.get("/bucket/2").text == "newer")
    }

    @Test("Versions come back beside those that the journal has")
    func versions() async throws {
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled")
        let one = try await harness.root.put("/bucket/key", "one")
        let cut = try await harness.lastCommit()
        harness.advance(by: .seconds(1))
        try await harness.root.put("/bucket/key", "two", ["x-amz-tagging": "a=b"])
        try await harness.root.delete("/bucket/key")
        harness.advance(by: .seconds(1))
        try await harness.root.put("/bucket/key", "three")
        let (recovered, report) = try await harness.recovered(.init(through: cut))
        #expect(report.objects == 2 && report.bytes == 8)
        let list = try await recovered.root.get("/bucket?versions")
        #expect(list.texts("Version/Size") == ["5", "3", "3"])
        #expect(list.texts("DeleteMarker/Key").isEmpty)
        #expect(list.texts("Version/VersionId").last == one.versionID)
        #expect(try await recovered.root.get("/bucket/key").text == "three")
        let second = list.texts("Version/VersionId")[1]
        let two = try await recovered.root.get("/bucket/key?versionId=\(second)")
        #expect(two.text == "two" && two["x-amz-tagging-count"] == "1")
        #expect(two["last-modified"] == (harness.now + .seconds(-1)).httpDate)
        // The mark goes with neither a copy nor a later version.
        try await recovered.root.copy("bucket/key", to: "/bucket/copy")
        #expect(try await recovered.root.head("/bucket/copy")["x-tidegate-recovered"] == nil)
        try await IndexLaws.check(recovered)
        let records = try await recovered.records().filter { $0.name == "RecoverObject" }
        #expect(records.map { $0.json["requestParameters"]?["bytes"]?.stringValue } == ["3", "5"])
        #expect(records.allSatisfy { $0.key == "key" && $0.bucket == "bucket" })
    }

    @Test("Parts come back as parts of an upload that the journal has, and never as objects")
    func parts() async throws {
        let harness = try await GatewayHarness.withBucket(cell: 64 << 10)
        let before = try await harness.lastCommit()
        let upload = try await harness.root.startUpload("/bucket/key", ["content-type": "text/x"])
        let long = harness.environment.randomBytes(5 << 20)
        try await harness.root.putPart("/bucket/key", upload, 1, "to be replaced")
        let cut = try await harness.lastCommit()
        let one = try await harness.root.putPart("/bucket/key", upload, 1, Content(long))
        let two = try await harness.root.putPart("/bucket/key", upload, 2, "the end")
        #expect(try await harness.root.complete("/bucket/key", upload, [(1, one.etag), (2, two.etag)]).status == 200)

        let (recovered, report) = try await harness.recovered(.init(through: cut))
        #expect(report.objects == 0 && report.parts == 2)
        #expect(try await recovered.root.get("/bucket/key").status == 404)
        let listed = try await recovered.root.get("/bucket/key?uploadId=\(upload)")
        #expect(listed.texts("Part/ETag") == [one.etag, two.etag])
        try await IndexLaws.check(recovered)
        let completed = try await recovered.root.complete("/bucket/key", upload, [(1, one.etag), (2, two.etag)])
        #expect(completed.status == 200)
        try await recovered.collectEverything()
        #expect(try await recovered.root.get("/bucket/key").body == long + Array("the end".utf8))

        let unknown = try await harness.recovered(.init(through: before))
        #expect(unknown.report.parts == 0 && unknown.report.left == [.upload: 3])
        #expect(try await unknown.harness.root.get("/bucket?list-type=2").texts("Contents/Key").isEmpty)
        let last = try await harness.recovered(.init(through: try await harness.lastCommit()))
        #expect(last.report == emptyReport(blobs: last.report.blobs))
    }

    private func emptyReport(blobs: Int) -> TailReport {
        var report = TailReport()
        report.blobs = blobs
        return report
    }

    @Test("Of an aborted upload nothing comes back")
    func aborted() async throws {
        let harness = try await GatewayHarness.withBucket()
        let upload = try await harness.root.startUpload("/bucket/key")
        let cut = try await harness.lastCommit()
        try await harness.root.putPart("/bucket/key", upload, 1, "part")
        let stores = try await harness.copiedStores()
        try await harness.root.delete("/bucket/key?uploadId=\(upload)")
        let last = try await harness.lastCommit()
        let (recovered, report) = try await harness.recovered(.init(through: last, stores: stores))
        #expect(report.parts == 0 && report.objects == 0)
        #expect(try await recovered.root.get("/bucket?uploads").texts("Upload/Key").isEmpty)
        // The end of an upload is lost like any deletion.
        let early = try await harness.recovered(.init(through: cut))
        #expect(early.report.parts == 1)
    }

    @Test("A bucket that the journal does not have is not made up")
    func bucket() async throws {
        let harness = try await GatewayHarness()
        let cut = try await harness.lastCommit()
        try await harness.root.put("/bucket")
        try await harness.root.put("/bucket/key", "content")
        let (recovered, report) = try await harness.recovered(.init(through: cut))
        #expect(report.left == [.bucket: 1] && report.objects == 0)
        #expect(try await recovered.root.get("/bucket/key").outcome == "404 NoSuchBucket")
        // Nor is one that is another by now.
        try await recovered.root.put("/bucket")
        #expect(try await recovered.root.get("/bucket/key").outcome == "404 NoSuchKey")
    }
}
