import Metadata
import Primitives
import S3Model
import Simulation
import Testing

/// Keys that name another place elsewhere: here a key is its bytes, at every entrance, for policy, index and log alike
/// (CVE-2026-54917, CVE-2026-55874, CVE-2026-58372, CVE-2023-28433, CVE-2026-26187, versitygw cd0b4e6d).
@Suite("Attacks on keys")
struct KeyAttackTests {
    /// All of them are keys as S3 sees it, and no two are the same.
    static let corpus = [
        "..", "../other/key", "../../etc/passwd", "a/../b", "a/..", "./a", ".", "a/./b", "a//b", "/a", "//a", "a/",
        "a/b/", "/", "//", "%2e%2e/a", "%2E%2E%2Fa", "%252e", "a%2Fb", "a\\..\\b", "..\\a", "a\\b", "C:\\a", "a\u{0}b",
        "\u{0}", "a\nb", "a\r\nb", "\u{1}", "\u{7F}", "a b", " a", "a ", "+", "a+b", "?", "a?b", "a?versionId=null",
        "#", "a#b", "&", "=", "<a>", "\"'`", "é", "e\u{301}", "\u{202E}a", "\u{FEFF}a", "\u{FFFE}", "\u{1F600}", "*",
        "a*b", "${aws:username}", "$", "~", "|", "con", "aux.txt", ".tidegate", "bucket/key", "CON", "con.",
        String(repeating: "a", count: 1024), String(repeating: "é", count: 512), String(repeating: "/", count: 1024),
    ]

    private func send(_ harness: GatewayHarness, _ method: String, _ key: String, _ query: String = "") async throws
        -> Received
    {
        try await harness.root.send(method, path("bucket", key) + query)
    }

    @Test("Every key is stored, read, listed, tagged and deleted as itself", arguments: corpus)
    func everyEntrance(_ key: String) async throws {
        let harness = try await GatewayHarness.withBucket()
        let neighbours = ["..", "a/../b", "a//b", "a", "%2e%2e/a"].filter { $0 != key }
        for other in neighbours { try await harness.root.put(path("bucket", other), "another") }
        let target = path("bucket", key)
        #expect(try await harness.root.put(target, Content(Array(key.utf8))).status == 200)
        #expect(try await harness.root.get(target).body == Array(key.utf8))
        #expect(try await harness.root.presigned("GET", target).body == Array(key.utf8))
        #expect(try await harness.root.put(target + "?tagging", Documents.tagging([("a", "1")])).status == 200)
        #expect(try await harness.root.get(target + "?tagging").texts("TagSet/Tag/Key") == ["a"])
        // As the source of a copy, and of a part.
        let source = "bucket/" + PercentCoding.encode(key.utf8)
        #expect(try await harness.root.copy(source, to: "/bucket/copy-of-it").status == 200)
        #expect(try await harness.root.get("/bucket/copy-of-it").body == Array(key.utf8))
        let upload = try await harness.root.startUpload(target)
        let part = try await harness.root.copy(source, to: "\(target)?partNumber=1&uploadId=\(upload)")
        #expect(part.status == 200)
        // As a prefix and as a marker.
        let encoded = PercentCoding.encode(key.utf8)
        let listed = try await harness.root.get("/bucket?list-type=2&encoding-type=url&prefix=\(encoded)")
        let wanted = PercentCoding.encode(key.utf8, keepingSlash: true)
        #expect(listed.texts("Contents/Key").contains(wanted))
        let after = try await harness.root.get("/bucket?marker=\(encoded)&encoding-type=url")
        #expect(!after.texts("Contents/Key").contains(wanted))
        let uploads = try await harness.root.get("/bucket?uploads&encoding-type=url&prefix=\(encoded)")
        #expect(uploads.texts("Upload/Key").contains(wanted))
        #expect(try await harness.root.complete(target, upload, [(1, part.text("ETag"))]).status == 200)
        #expect(try await harness.root.get(target).body == Array(key.utf8))
        // In the document of DeleteObjects, where XML can hold it.
        if key.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0xFFFE || $0 == "\n" }) {
            let deleted = try await harness.root.deleteAll("bucket", [DeleteItem(key)])
            #expect(deleted.texts("Deleted/Key").map { Array($0.utf8) } == [Array(key.utf8)])
        } else {
            #expect(try await harness.root.delete(target).status == 204)
        }
        #expect(try await harness.root.head(target).status == 404)
        for other in neighbours { #expect(try await harness.root.get(path("bucket", other)).text == "another") }
        try await IndexLaws.check(harness)
    }

    @Test("Policy, index and log see the same bytes of a key", arguments: corpus)
    func sameEverywhere(_ key: String) async throws {
        let alice = GatewayHarness.User(
            name: "alice", policies: [GatewayHarness.User.allow("s3:PutObject", on: "bucket/mine/*")])
        let harness = try await GatewayHarness.withBucket(users: [alice])
        let inside = "mine/" + key
        guard inside.utf8.count <= 1024 else { return }
        let target = path("bucket", inside)
        #expect(try await harness.client("alice").put(target, "x").status == 200, "the policy matches bytes")
        #expect(try await harness.client("alice").put(path("bucket", key), "x").status == 403)
        let bucket = try await harness.bucketID()
        let stored = try #require(ObjectKey(Array(inside.utf8)))
        #expect(try await harness.index.memory.values(of: [Keys.live(bucket, stored)])[0] != nil)
        let records = try await harness.records().filter { $0.name == "PutObject" }
        #expect(Set(records.map { $0.key.map { Array($0.utf8) } }) == [Array(inside.utf8), Array(key.utf8)])
        #expect(records.contains { $0.resources.contains("arn:aws:s3:::bucket/" + inside) })
    }

    @Test("A key has at most 1,024 bytes, and is UTF-8")
    func limits() async throws {
        let harness = try await GatewayHarness.withBucket()
        for key in [String(repeating: "a", count: 1025), String(repeating: "é", count: 513)] {
            let refused = try await harness.root.put(path("bucket", key), "x")
            #expect(refused.outcome == "400 KeyTooLongError")
            #expect(refused.text("MaxSizeAllowed") == "1024")
            #expect(try await harness.root.get(path("bucket", key)).outcome == "400 KeyTooLongError")
            let document = Documents.delete([DeleteItem(key)])
            let deleted = try await harness.root.post(
                "/bucket?delete", document, ["content-md5": Documents.md5(document)])
            #expect(deleted.outcome == "400 KeyTooLongError")
            #expect(try await harness.root.copy("bucket/" + key, to: "/bucket/x").outcome == "400 InvalidArgument")
        }
        for raw in ["%ff", "%c3", "%c0%af", "%ed%a0%80", "%f5%80%80%80"] {
            #expect(try await harness.root.put("/bucket/\(raw)", "x").outcome == "400 InvalidURI", "\(raw)")
        }
    }

    @Test("Keys that Unicode calls the same are two")
    func equivalence() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put(path("bucket", "é"), "composed")
        try await harness.root.put(path("bucket", "e\u{301}"), "decomposed")
        #expect(try await harness.root.get(path("bucket", "é")).text == "composed")
        #expect(try await harness.root.get(path("bucket", "e\u{301}")).text == "decomposed")
        try await harness.root.delete(path("bucket", "é"))
        #expect(try await harness.root.get(path("bucket", "e\u{301}")).text == "decomposed")
        // The Kelvin sign is no K, in no table.
        #expect(try await harness.root.get(path("bucKet", "x")).outcome == "400 InvalidBucketName")
    }

    @Test("No key reaches another bucket")
    func otherBuckets() async throws {
        let harness = try await GatewayHarness.withBucket(users: [
            GatewayHarness.User(name: "alice", policies: [GatewayHarness.User.allow("s3:*", on: "bucket", "bucket/*")])
        ])
        try await harness.root.put("/secrets")
        try await harness.root.put("/secrets/key", "secret")
        let alice = harness.client("alice")
        for form in [
            "/bucket/../secrets/key", "/bucket/%2e%2e/secrets/key", "/bucket/..%2Fsecrets%2Fkey",
            "/bucket//secrets/key",
            "/bucket/%2Fsecrets/key", "/./secrets/key", "/bucket/..\\secrets\\key", "/bucket%2F..%2Fsecrets/key",
            "/bucket/%252e%252e/secrets/key",
        ] {
            let got = try await alice.get(form)
            #expect([400, 403, 404].contains(got.status) && got.text != "secret", "\(form): \(got)")
            let copied = try await alice.copy(form, to: "/bucket/copy")
            #expect([400, 403, 404].contains(copied.status), "\(form)")
        }
        let deleted = try await alice.deleteAll("bucket", ["../secrets/key", "/secrets/key", "..\\secrets\\key"])
        #expect(deleted.texts("Deleted/Key").count == 3)
        #expect(try await harness.root.get("/secrets/key").text == "secret")
        #expect(try await harness.root.head("/bucket/copy").status == 404)
    }
}
