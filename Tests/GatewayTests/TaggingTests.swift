import Primitives
import Simulation
import Testing

/// Tags of objects and buckets.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>
@Suite("Tagging")
struct TaggingTests {
    @Test("Tags of an object are put, read, counted and deleted; its ETag and time stay")
    func objectTags() async throws {
        let harness = try await GatewayHarness.withBucket()
        let stored = try await harness.root.put("/bucket/key", "x", ["x-amz-tagging": "a=1&b=2%2B+3&c"])
        let before = try await harness.root.head("/bucket/key")
        #expect(before["x-amz-tagging-count"] == "3")
        let first = try await harness.root.get("/bucket/key?tagging")
        #expect(first.root == "Tagging")
        #expect(first.texts("TagSet/Tag/Key") == ["a", "b", "c"])
        #expect(first.texts("TagSet/Tag/Value") == ["1", "2+ 3", ""])
        harness.advance(by: .seconds(10))
        #expect(try await harness.root.put("/bucket/key?tagging", Documents.tagging([("d", "ü")])).status == 200)
        #expect(try await harness.root.get("/bucket/key?tagging").texts("TagSet/Tag/Value") == ["ü"])
        let after = try await harness.root.head("/bucket/key")
        #expect(after.etag == stored.etag)
        #expect(after["last-modified"] == before["last-modified"])
        #expect(try await harness.root.delete("/bucket/key?tagging").status == 204)
        #expect(try await harness.root.get("/bucket/key?tagging").texts("TagSet/Tag/Key").isEmpty)
        #expect(try await harness.root.head("/bucket/key")["x-amz-tagging-count"] == nil)
        #expect(try await harness.root.get("/bucket/key").text == "x")
        try await IndexLaws.check(harness)
    }

    @Test("Tags belong to a version, wherever it stands")
    func versions() async throws {
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled")
        let old = try await harness.root.put("/bucket/key", "1", ["x-amz-tagging": "v=1"]).versionID ?? ""
        let new = try await harness.root.put("/bucket/key", "2", ["x-amz-tagging": "v=2"]).versionID ?? ""
        let put = try await harness.root.put("/bucket/key?tagging&versionId=\(old)", Documents.tagging([("v", "3")]))
        #expect(put.versionID == old)
        #expect(try await harness.root.get("/bucket/key?tagging&versionId=\(old)").texts("TagSet/Tag/Value") == ["3"])
        let current = try await harness.root.get("/bucket/key?tagging")
        #expect(current.texts("TagSet/Tag/Value") == ["2"])
        #expect(current.versionID == new)
        // The order among versions is what it was.
        let listed = try await harness.root.get("/bucket?versions")
        #expect(listed.texts("Version/VersionId") == [new, old])
        try await harness.root.delete("/bucket/key?versionId=\(new)")
        #expect(try await harness.root.get("/bucket/key?tagging").texts("TagSet/Tag/Value") == ["3"])
        let marker = try await harness.root.delete("/bucket/key").versionID ?? ""
        #expect(try await harness.root.get("/bucket/key?tagging").status == 404)
        #expect(try await harness.root.get("/bucket/key?tagging&versionId=\(marker)").status == 405)
        try await IndexLaws.check(harness)
    }

    private static let long = String(repeating: "k", count: 129)
    private static let refused: [([(String, String)], String)] = [
        ((0..<11).map { ("k\($0)", "v") }, "400 BadRequest"), ([("a", "1"), ("a", "2")], "400 InvalidTag"),
        ([("", "v")], "400 InvalidTag"), ([(long, "v")], "400 InvalidTag"),
        ([("k", long + long)], "400 InvalidTag"), ([("aws:x", "v")], "400 InvalidTag"),
    ]

    @Test("Tags keep S3's rules", arguments: refused)
    func rules(_ tags: [(String, String)], _ outcome: String) async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "x")
        #expect(try await harness.root.put("/bucket/key?tagging", Documents.tagging(tags)).outcome == outcome)
        let header = tags.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
        let stored = try await harness.root.put("/bucket/other", "x", ["x-amz-tagging": header])
        #expect(stored.status == 400)
        #expect(try await harness.root.head("/bucket/other").status == 404)
        #expect(try await harness.root.get("/bucket/key?tagging").texts("TagSet/Tag/Key").isEmpty)
    }

    @Test("The longest tags are kept")
    func longest() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "x")
        let tags = (0..<10).map { number in
            (String(repeating: "ü", count: 127) + String(number), String(repeating: "ж", count: 256))
        }
        #expect(try await harness.root.put("/bucket/key?tagging", Documents.tagging(tags)).status == 200)
        #expect(try await harness.root.get("/bucket/key?tagging").texts("TagSet/Tag/Key") == tags.map(\.0))
    }

    @Test("Documents that are none change nothing")
    func malformed() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "x", ["x-amz-tagging": "a=1"])
        for document: Content in [
            "", "x", "<Tagging/>", "<TagSet/>", "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>",
            "<Tagging><TagSet><Tag><Value>a</Value></Tag></TagSet></Tagging>",
        ] {
            for target in ["/bucket/key?tagging", "/bucket?tagging"] {
                #expect(try await harness.root.put(target, document).outcome == "400 MalformedXML")
            }
        }
        #expect(try await harness.root.get("/bucket/key?tagging").texts("TagSet/Tag/Key") == ["a"])
    }

    @Test("Tags of a bucket are put, read and deleted")
    func bucketTags() async throws {
        let harness = try await GatewayHarness.withBucket()
        #expect(try await harness.root.get("/bucket?tagging").outcome == "404 NoSuchTagSet")
        let tags = (10..<60).map { ("key \($0)", "value") }
        #expect(try await harness.root.put("/bucket?tagging", Documents.tagging(tags)).status == 204)
        #expect(try await harness.root.get("/bucket?tagging").texts("TagSet/Tag/Key") == tags.map(\.0))
        let more = Documents.tagging(tags + [("one", "more")])
        #expect(try await harness.root.put("/bucket?tagging", more).status == 400)
        #expect(try await harness.root.delete("/bucket?tagging").status == 204)
        #expect(try await harness.root.get("/bucket?tagging").outcome == "404 NoSuchTagSet")
    }
}
