import Metadata
import Primitives
import S3Model
import Synchronization
import Testing
import XML

/// ListObjectVersions and ListMultipartUploads.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>,
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>
@Suite("Listings of versions and uploads")
struct VersionListingTests {
    /// What a listing shows, in its order: keys, ids, and rolled-up prefixes.
    private static func rows(_ page: Received) -> [String] {
        (page.xml?.children ?? []).compactMap { element in
            switch element.name {
            case "Version", "DeleteMarker":
                let latest = element.child("IsLatest")?.text == "true" ? "!" : ""
                return "\(element.child("Key")?.text ?? "")@\(element.child("VersionId")?.text ?? "")\(latest)"
            case "Upload": return "\(element.child("Key")?.text ?? "")@\(element.child("UploadId")?.text ?? "")"
            case "CommonPrefixes": return element.child("Prefix")?.text
            default: return nil
            }
        }
    }

    @Test("Versions and markers are listed by key, newest first, in pages of any size")
    func versions() async throws {
        let harness = try await GatewayHarness.withBucket()
        var expected: [String] = []
        try await harness.root.put("/bucket/a", "null")
        _ = try await harness.root.setVersioning("bucket", "Enabled")
        var ids: [String] = []
        for number in 0..<3 { ids.append(try await harness.root.put("/bucket/a", "\(number)").versionID ?? "") }
        let marker = try await harness.root.delete("/bucket/a").versionID ?? ""
        expected += ["a@\(marker)!"] + ids.reversed().map { "a@\($0)" } + ["a@null"]
        // A zero byte in a key sorts before everything.
        for key in ["a%00", "a%00b", "ab", "dir/x", "dir/y", "é"] {
            let id = try await harness.root.put("/bucket/\(key)", "x").versionID ?? ""
            let decoded = PercentCoding.decode(key.utf8).map { String(decoding: $0, as: UTF8.self) } ?? ""
            expected.append("\(decoded)@\(id)!")
        }
        expected.sort { left, right in
            let (one, two) = (left.utf8.prefix { $0 != 64 }, right.utf8.prefix { $0 != 64 })
            return one.lexicographicallyPrecedes(two)
        }
        for limit in [1, 2, 3, 4, 1000] {
            #expect(try await pages(harness, "versions", limit) == expected, "\(limit)")
        }
        let grouped = try await pages(harness, "versions", 1, [("delimiter", "/"), ("prefix", "d")])
        #expect(grouped == ["dir/"])
        let prefixed = try await pages(harness, "versions", 2, [("prefix", "dir/")])
        #expect(prefixed == expected.filter { $0.hasPrefix("dir/") })
    }

    @Test("A page of versions is of one moment, whatever is written while it is read", arguments: 1...8)
    func oneMoment(_ scan: Int) async throws {
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled")
        let client = harness.root
        for key in ["a", "b"] { try await client.put("/bucket/\(key)", "1") }
        let before = Self.rows(try await client.get("/bucket?versions"))
        let seen = Mutex(0)
        harness.index.before(
            { call in
                guard case .scan = call else { return false }
                return seen.withLock { seen in
                    seen += 1
                    return seen == scan
                }
            },
            {
                await recordingIssues {
                    for key in ["a", "b"] { try await client.put("/bucket/\(key)", "2") }
                }
            })
        let meanwhile = Self.rows(try await client.get("/bucket?versions"))
        let after = Self.rows(try await client.get("/bucket?versions"))
        #expect([before, after].contains(meanwhile))
    }

    /// All rows of a listing, page by page, as clients go on.
    private func pages(
        _ harness: GatewayHarness, _ kind: String, _ limit: Int, _ items: [(String, String)] = []
    ) async throws -> [String] {
        var (rows, marker): ([String], (key: String, id: String?)?) = ([], nil)
        for _ in 0..<100 {
            var items = items + [(kind == "uploads" ? "max-uploads" : "max-keys", String(limit))]
            items.append(("encoding-type", "url"))
            let idMarker = kind == "uploads" ? "upload-id-marker" : "version-id-marker"
            if let marker {
                items.append(("key-marker", marker.key))
                if let id = marker.id { items.append((idMarker, id)) }
            }
            let query = items.map { "\($0.0)=\(PercentCoding.encode($0.1.utf8))" }.joined(separator: "&")
            let page = try await harness.root.get("/bucket?\(kind)&\(query)")
            #expect(page.status == 200)
            let found = Self.rows(page)
            #expect(found.count <= limit)
            rows += found.map { row in
                PercentCoding.decode(row.utf8).map { String(decoding: $0, as: UTF8.self) } ?? ""
            }
            guard page.text("IsTruncated") == "true" else { return rows }
            let next = page.text(kind == "uploads" ? "NextUploadIdMarker" : "NextVersionIdMarker")
            let key = PercentCoding.decode((page.text("NextKeyMarker") ?? "").utf8) ?? []
            marker = (String(decoding: key, as: UTF8.self), next)
        }
        Issue.record("the listing does not end")
        return rows
    }

    @Test("A version marker needs a key marker, and must be an id")
    func malformed() async throws {
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled")
        let id = try await harness.root.put("/bucket/a", "x").versionID ?? ""
        #expect(try await harness.root.get("/bucket?versions&version-id-marker=\(id)").outcome == "400 InvalidArgument")
        #expect(
            try await harness.root.get("/bucket?versions&key-marker=a&version-id-marker=x").outcome
                == "400 InvalidArgument")
        #expect(
            try await harness.root.get("/bucket?uploads&key-marker=a&upload-id-marker=x").outcome
                == "400 InvalidArgument")
        #expect(try await harness.root.get("/bucket?versions&max-keys=-1").outcome == "400 InvalidArgument")
        let none = try await harness.root.get("/bucket?versions&max-keys=0")
        #expect(none.text("IsTruncated") == "false")
        #expect(Self.rows(none).isEmpty)
    }

    @Test("A listing goes on where it was, though the version that it stopped at is gone")
    func deletedMarker() async throws {
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled")
        var ids: [String] = []
        for number in 0..<6 { ids.append(try await harness.root.put("/bucket/a", "\(number)").versionID ?? "") }
        let stopped = ids[3]
        try await harness.root.delete("/bucket/a?versionId=\(stopped)")
        let page = try await harness.root.get("/bucket?versions&key-marker=a&version-id-marker=\(stopped)")
        #expect(page.texts("Version/VersionId") == [ids[2], ids[1], ids[0]])
        #expect(page.texts("Version/IsLatest") == ["false", "false", "false"])
    }

    @Test("Versions that move between rooms while they are listed are listed once")
    func racing() async throws {
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled")
        let one = try await harness.root.put("/bucket/a", "1").versionID ?? ""
        let two = try await harness.root.put("/bucket/a", "2").versionID ?? ""
        let key = try #require(ObjectKey("a"))
        let rows = Keys.versions(try await harness.bucketID(), key)
        let isScanOfVersions: @Sendable (ScriptedIndex.Call) -> Bool = { call in
            guard case .scan(let scan) = call else { return false }
            return scan.range.lowerBound.key.starts(with: rows) && scan.limit > 1
        }
        // The current version becomes noncurrent after it was read, and before the noncurrent ones are.
        harness.index.before(isScanOfVersions) {
            #expect((try? await harness.root.put("/bucket/a", "3"))?.status == 200)
        }
        let page = try await harness.root.get("/bucket?versions")
        #expect(page.texts("Version/VersionId").suffix(2) == [two, one])
        #expect(page.texts("Version/IsLatest").count { $0 == "true" } == 1)
        // The noncurrent version becomes current after the current one was read.
        let three = try await harness.root.head("/bucket/a").versionID ?? ""
        harness.index.before(isScanOfVersions) {
            for id in [three, two] { _ = try? await harness.root.delete("/bucket/a?versionId=\(id)") }
        }
        let after = try await harness.root.get("/bucket?versions")
        #expect(after.texts("Version/VersionId").contains(one), "it was there all the time")
    }

    @Test("Uploads in progress are listed by key and then by their start, in pages of any size")
    func uploads() async throws {
        let harness = try await GatewayHarness.withBucket()
        var expected: [String] = []
        for key in ["a", "a", "a", "b/1", "b/2", "c", "z→1"] {
            harness.advance(by: .seconds(1))
            expected.append("\(key)@\(try await harness.root.startUpload(path("bucket", key)))")
        }
        let done = try await harness.root.startUpload("/bucket/b/0")
        let part = try await harness.root.putPart("/bucket/b/0", done, 1, "x")
        #expect(try await harness.root.complete("/bucket/b/0", done, [(1, part.etag)]).status == 200)
        for limit in [1, 2, 3, 1000] {
            #expect(try await pages(harness, "uploads", limit) == expected, "\(limit)")
            let grouped = try await pages(harness, "uploads", limit, [("delimiter", "/")])
            // Uploads come before prefixes in a page.
            #expect(grouped.sorted() == (expected.prefix(3) + ["b/"] + expected.suffix(2)).sorted())
            let arrows = try await pages(harness, "uploads", limit, [("delimiter", "→"), ("prefix", "z")])
            #expect(arrows == ["z→"])
        }
        let all = try await harness.root.get("/bucket?uploads")
        #expect(all.root == "ListMultipartUploadsResult")
        #expect(all.text("Bucket") == "bucket")
        #expect(all.text("Upload/StorageClass") == "STANDARD")
        #expect(all.text("Upload/Initiated") == "2023-11-14T22:13:21.000Z")
        // Without a key marker, an upload marker means nothing.
        let id = expected[1].dropFirst(2)
        #expect(try await harness.root.get("/bucket?uploads&upload-id-marker=\(id)").texts("Upload/Key").count == 7)
        #expect(try await harness.root.get("/bucket?uploads&max-uploads=0").texts("Upload/Key").isEmpty)
    }
}
