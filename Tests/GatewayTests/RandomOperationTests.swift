import Gateway
import Primitives
import Simulation
import Testing
import TidegateTesting
import XML

/// Long sequences of random operations, which a seed decides, against the reference: each answer must be the one that
/// the reference allows, and in the end the index must recount.
@Suite("Random operations")
struct RandomOperationTests {
    @Test("The gateway answers as the reference does", arguments: [nil, "Enabled", "Suspended"], [1, 2, 3, 4])
    func sequence(_ versioning: String?, _ seed: UInt64) async throws {
        let harness = try await GatewayHarness.withBucket(packs: !seed.isMultiple(of: 2), seed: seed)
        var run = RandomRun(harness, seed: seed &* 7919 &+ UInt64(versioning?.utf8.count ?? 0))
        if let versioning { try await run.setVersioning(versioning) }
        for step in 0..<250 {
            try await run.step()
            guard run.failures == 0 else {
                Issue.record("step \(step) of seed \(seed), versioning \(versioning ?? "none")")
                return
            }
            if step.isMultiple(of: 50) { try await IndexLaws.check(harness) }
        }
        try await run.compareListings()
        try await IndexLaws.check(harness)
        // One record for each request, but for those of DeleteObjects.
        let records = try await harness.records()
        let requests = records.filter { $0.name != "DeleteObjects" }.map(\.requestID)
        #expect(Set(requests).count == requests.count)
        #expect(Set(requests).count == harness.observations.all.count { $0.operation != "DeleteObjects" })
    }
}

/// One sequence: the gateway, the reference, and what chance says next.
private struct RandomRun {
    let harness: GatewayHarness
    var reference = S3Reference()
    var generator: SeededGenerator
    var failures = 0
    /// Versions that were, to be asked for again.
    var oldIDs = ["null"]

    private static let keys = ["a", "a/b", "a/c", "b", "b/", "dir/x", "dir/y", "z→1", "é"]

    init(_ harness: GatewayHarness, seed: UInt64) {
        self.harness = harness
        generator = SeededGenerator(seed: seed)
    }

    private mutating func expect(_ holds: Bool, _ what: @autoclosure () -> String) {
        guard !holds else { return }
        failures += 1
        Issue.record("\(what())")
    }

    private mutating func key() -> String { Self.keys[Int.random(in: 0..<Self.keys.count, using: &generator)] }
    private mutating func chance(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &generator) < share }
    private mutating func text() -> String { "body \(generator.next() % 1000)" }

    /// An id of the key, of another one, or of none any more.
    private mutating func id(_ key: String) -> String {
        if chance(0.7), let versions = reference.versions[key], !versions.isEmpty {
            return versions[Int.random(in: 0..<versions.count, using: &generator)].id
        }
        return oldIDs[Int.random(in: 0..<oldIDs.count, using: &generator)]
    }

    mutating func step() async throws {
        harness.advance(by: .seconds(1))
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<25: try await put()
        case 25..<32: try await conditionalPut()
        case 32..<44: try await delete()
        case 44..<56: try await deleteVersion()
        case 56..<62: try await deleteSeveral()
        case 62..<70: try await copy()
        case 70..<80: try await upload()
        case 80..<84: try await tag()
        case 84..<86 where reference.versioning != nil: try await setVersioning(chance(0.7) ? "Enabled" : "Suspended")
        case 86..<95: try await read()
        default: try await list()
        }
    }

    mutating func setVersioning(_ status: String) async throws {
        expect(try await harness.root.setVersioning("bucket", status).status == 200, "versioning \(status)")
        reference.versioning = status
    }

    /// Takes a success into the reference.
    private mutating func stored(_ key: String, _ body: String, _ answer: Received, tags: [String: String] = [:]) {
        expect(answer.status == 200, "a write of \(key): \(answer)")
        expect((answer.versionID == nil) == (reference.versioning == nil), "the version id of \(key): \(answer)")
        expect((answer.versionID == "null") == (reference.versioning == "Suspended"), "the null id of \(key)")
        let id = answer.versionID ?? "null"
        oldIDs.append(id)
        reference.push(key, S3Reference.Version(id: id, body: body, tags: tags))
    }

    private mutating func put() async throws {
        let (key, body, tag) = (key(), text(), String(generator.next() % 9))
        let answer = try await harness.root.put(
            path("bucket", key), Content(Array(body.utf8)), ["x-amz-tagging": "t=\(tag)"])
        stored(key, body, answer, tags: ["t": tag])
    }

    private mutating func conditionalPut() async throws {
        let (key, body) = (key(), text())
        let target = path("bucket", key)
        let object = reference.object(key)
        if chance(0.5) {
            let answer = try await harness.root.put(target, Content(Array(body.utf8)), ["if-none-match": "*"])
            if object == nil {
                stored(key, body, answer)
            } else {
                expect(answer.status == 412, "If-None-Match on \(key): \(answer)")
            }
        } else {
            let etag = try await harness.root.head(target).etag ?? "\"none\""
            let isRight = chance(0.5)
            let answer = try await harness.root.put(
                target, Content(Array(body.utf8)), ["if-match": isRight ? etag : "\"0\""])
            switch (object, isRight) {
            case (nil, _): expect(answer.status == 404, "If-Match on nothing: \(answer)")
            case (_, true): stored(key, body, answer)
            case (_, false): expect(answer.status == 412, "If-Match on \(key): \(answer)")
            }
        }
    }

    private mutating func delete() async throws {
        let key = key()
        let answer = try await harness.root.delete(path("bucket", key))
        expect(answer.status == 204, "a delete of \(key): \(answer)")
        expect((answer["x-amz-delete-marker"] == "true") == (reference.versioning != nil), "a marker for \(key)")
        if let id = answer.versionID { oldIDs.append(id) }
        reference.delete(key, marker: reference.versioning == nil ? nil : answer.versionID ?? "missing")
    }

    private mutating func deleteVersion() async throws {
        let key = key()
        let id = id(key)
        let wasMarker = reference.version(key, id)?.isMarker == true
        let answer = try await harness.root.delete(path("bucket", key) + "?versionId=\(id)")
        expect(answer.status == 204, "a delete of \(key) @ \(id): \(answer)")
        expect((answer["x-amz-delete-marker"] == "true") == wasMarker, "the marker of \(key) @ \(id)")
        reference.delete(key, version: id)
    }

    private mutating func deleteSeveral() async throws {
        var items: [DeleteItem] = []
        for _ in 0..<3 {
            let key = key()
            items.append(DeleteItem(key, version: chance(0.5) ? id(key) : nil))
        }
        let answer = try await harness.root.deleteAll("bucket", items)
        let deleted = answer.elements("Deleted")
        expect(deleted.count == items.count, "DeleteObjects: \(answer)")
        for (item, element) in zip(items, deleted) {
            expect(element.child("Key")?.text == item.key, "the keys of DeleteObjects")
            let marker = element.child("DeleteMarkerVersionId")?.text
            if let version = item.version {
                reference.delete(item.key, version: version)
            } else {
                reference.delete(item.key, marker: reference.versioning == nil ? nil : marker ?? "missing")
            }
            if let marker { oldIDs.append(marker) }
        }
    }

    private mutating func copy() async throws {
        let (from, to) = (key(), key())
        let id = chance(0.4) ? id(from) : nil
        let source = "bucket/" + PercentCoding.encode(from.utf8) + (id.map { "?versionId=\($0)" } ?? "")
        let replaces = chance(0.5)
        let headers: HeaderFields = replaces ? ["x-amz-metadata-directive": "REPLACE"] : [:]
        let answer = try await harness.root.copy(source, to: path("bucket", to), headers)
        let version = id.map { reference.version(from, $0) } ?? reference.current(from)
        switch version {
        case nil: expect(answer.status == 404, "a copy of nothing: \(answer)")
        case let version? where version.isMarker:
            expect(answer.status == (id == nil ? 404 : 400), "a copy of a marker: \(answer)")
        case let version? where from == to && id == nil && !replaces:
            expect(answer.outcome == "400 InvalidRequest", "a copy onto itself: \(answer) \(version.id)")
        case let version?: stored(to, version.body, answer, tags: version.tags)
        }
    }

    private mutating func upload() async throws {
        guard let id = reference.uploads.keys.sorted().first, chance(0.8) else {
            let key = key()
            let id = try await harness.root.startUpload(path("bucket", key))
            expect(!id.isEmpty, "an upload of \(key)")
            reference.uploads[id] = S3Reference.Upload(key: key)
            return
        }
        let upload = reference.uploads[id] ?? S3Reference.Upload(key: "")
        let target = path("bucket", upload.key)
        if upload.parts.isEmpty || chance(0.4) {
            let (number, body) = (Int.random(in: 1...3, using: &generator), text())
            let answer = try await harness.root.putPart(target, id, number, Content(Array(body.utf8)))
            expect(answer.status == 200, "a part: \(answer)")
            reference.uploads[id]?.parts[number] = (answer.etag ?? "", body)
        } else if chance(0.2) {
            expect(try await harness.root.delete("\(target)?uploadId=\(id)").status == 204, "an abort")
            reference.uploads[id] = nil
        } else {
            let number = upload.parts.keys.sorted()[Int.random(in: 0..<upload.parts.count, using: &generator)]
            let part = upload.parts[number] ?? ("", "")
            let answer = try await harness.root.complete(target, id, [(number, part.etag)])
            stored(upload.key, part.body, answer)
            let again = try await harness.root.complete(target, id, [(number, part.etag)])
            expect(again.body == answer.body, "a second completion: \(again)")
            reference.uploads[id] = nil
        }
    }

    private mutating func tag() async throws {
        let key = key()
        let id = chance(0.5) ? id(key) : nil
        let query = "?tagging" + (id.map { "&versionId=\($0)" } ?? "")
        let value = String(generator.next() % 9)
        let answer = try await harness.root.put(path("bucket", key) + query, Documents.tagging([("t", value)]))
        let version = id.map { reference.version(key, $0) } ?? reference.current(key)
        guard let version, !version.isMarker else {
            expect([404, 405].contains(answer.status), "tags of nothing: \(answer)")
            return
        }
        expect(answer.status == 200, "tags of \(key): \(answer)")
        reference.retag(key, id, ["t": value])
    }

    private mutating func read() async throws {
        let key = key()
        let id = chance(0.6) ? id(key) : nil
        let target = path("bucket", key) + (id.map { "?versionId=\($0)" } ?? "")
        let version = id.map { reference.version(key, $0) } ?? reference.current(key)
        let got = try await harness.root.get(target)
        switch version {
        case nil: expect(got.status == 404, "a read of nothing: \(got)")
        case let version? where version.isMarker: expect(got.status == (id == nil ? 404 : 405), "a marker: \(got)")
        case let version?:
            expect(got.status == 200 && got.text == version.body, "a read of \(key) @ \(id ?? "-"): \(got)")
            expect((got.versionID ?? "null") == version.id, "the id of \(key)")
            let tags = try await harness.root.get(path("bucket", key) + "?tagging&versionId=\(version.id)")
            expect(tags.texts("TagSet/Tag/Value") == version.tags.values.sorted(), "the tags of \(key)")
        }
    }

    private mutating func list() async throws {
        let prefix = ["", "a", "a/", "b", "dir/", "z", "none"][Int.random(in: 0..<7, using: &generator)]
        let delimiter = ["", "/", "→"][Int.random(in: 0..<3, using: &generator)]
        let limit = Int.random(in: 1...12, using: &generator)
        let marker = chance(0.3) ? key() : ""
        let wanted = reference.listing(prefix: prefix, delimiter: delimiter, after: marker)
        let items = [
            ("prefix", prefix), ("delimiter", delimiter), ("marker", marker), ("max-keys", String(limit)),
        ]
        let query = items.map { "\($0.0)=\(PercentCoding.encode($0.1.utf8))" }.joined(separator: "&")
        let page = try await harness.root.get("/bucket?\(query)")
        let rows = (page.texts("Contents/Key") + page.texts("CommonPrefixes/Prefix")).sorted {
            $0.utf8.lexicographicallyPrecedes($1.utf8)
        }
        expect(rows == Array(wanted.prefix(limit)), "the listing \(query): \(rows) instead of \(wanted)")
        expect((page.text("IsTruncated") == "true") == (wanted.count > limit), "the end of the listing \(query)")
        let versions = try await harness.root.get("/bucket?versions&prefix=\(PercentCoding.encode(prefix.utf8))")
        expect(Self.rows(versions) == reference.versionListing(prefix: prefix), "the versions of \(prefix)")
    }

    /// Everything, in the end.
    mutating func compareListings() async throws {
        let versions = try await harness.root.get("/bucket?versions")
        expect(Self.rows(versions) == reference.versionListing(prefix: ""), "all versions")
        let uploads = try await harness.root.get("/bucket?uploads")
        expect(uploads.texts("Upload/UploadId").sorted() == reference.uploads.keys.sorted(), "all uploads")
        for key in Self.keys {
            for version in reference.versions[key] ?? [] where !version.isMarker {
                let got = try await harness.root.get(path("bucket", key) + "?versionId=\(version.id)")
                expect(got.text == version.body, "\(key) @ \(version.id) in the end: \(got)")
            }
        }
    }

    private static func rows(_ page: Received) -> [String] {
        (page.xml?.children ?? []).filter { ["Version", "DeleteMarker"].contains($0.name) }.map { element in
            let latest = element.child("IsLatest")?.text == "true" ? "!" : ""
            let marker = element.name == "DeleteMarker" ? "x" : ""
            return "\(element.child("Key")?.text ?? "")@\(element.child("VersionId")?.text ?? "")\(latest)\(marker)"
        }
    }
}
