import Primitives
import Simulation
import Testing

/// CopyObject.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
@Suite("Copies")
struct CopyTests {
    private static let attributes: HeaderFields = [
        "content-type": "text/x", "cache-control": "no-store", "x-amz-meta-a": "1", "x-amz-tagging": "t=1",
        "x-amz-website-redirect-location": "/elsewhere", "x-amz-storage-class": "STANDARD_IA",
    ]

    private func harness(versioning: String? = nil, users: [GatewayHarness.User] = []) async throws -> GatewayHarness {
        let harness = try await GatewayHarness.withBucket(versioning: versioning, users: users)
        let stored = try await harness.root.put("/bucket/source", "content", Self.attributes)
        #expect(stored.status == 200)
        return harness
    }

    @Test("A copy has the source's bytes, headers, metadata and tags, but not its redirect and storage class")
    func copiesAttributes() async throws {
        let harness = try await harness()
        harness.advance(by: .seconds(10))
        let copied = try await harness.root.copy("/bucket/source", to: "/bucket/copy")
        #expect(copied.status == 200)
        #expect(copied.root == "CopyObjectResult")
        #expect(copied.text("ETag") == "\"9a0364b9e99bb480dd25e1f0284c8555\"")
        #expect(copied.text("LastModified") == "2023-11-14T22:13:30.000Z")
        let got = try await harness.root.get("/bucket/copy")
        #expect(got.text == "content")
        #expect(got["content-type"] == "text/x")
        #expect(got["cache-control"] == "no-store")
        #expect(got["x-amz-meta-a"] == "1")
        #expect(got["x-amz-tagging-count"] == "1")
        #expect(got["x-amz-website-redirect-location"] == nil)
        #expect(got["x-amz-storage-class"] == nil)
        #expect(try await harness.root.get("/bucket/copy?tagging").texts("TagSet/Tag/Key") == ["t"])
        try await IndexLaws.check(harness)
    }

    @Test("REPLACE takes what the request says, for metadata and for tags apart")
    func replaces() async throws {
        let harness = try await harness()
        let metadata: HeaderFields = [
            "x-amz-metadata-directive": "REPLACE", "x-amz-meta-b": "2", "x-amz-tagging": "u=2",
        ]
        #expect(try await harness.root.copy("/bucket/source", to: "/bucket/one", metadata).status == 200)
        let one = try await harness.root.head("/bucket/one")
        #expect(one["x-amz-meta-a"] == nil)
        #expect(one["x-amz-meta-b"] == "2")
        #expect(one["content-type"] == "binary/octet-stream")
        #expect(try await harness.root.get("/bucket/one?tagging").texts("TagSet/Tag/Key") == ["t"])
        let tags: HeaderFields = ["x-amz-tagging-directive": "REPLACE", "x-amz-meta-b": "2", "x-amz-tagging": "u=2"]
        #expect(try await harness.root.copy("/bucket/source", to: "/bucket/two", tags).status == 200)
        let two = try await harness.root.head("/bucket/two")
        #expect(two["x-amz-meta-a"] == "1")
        #expect(two["x-amz-meta-b"] == nil)
        #expect(try await harness.root.get("/bucket/two?tagging").texts("TagSet/Tag/Key") == ["u"])
        for name in ["x-amz-metadata-directive", "x-amz-tagging-directive"] {
            var headers = HeaderFields()
            headers[name] = "MOVE"
            #expect(
                try await harness.root.copy("/bucket/source", to: "/bucket/x", headers).outcome == "400 InvalidArgument"
            )
        }
    }

    @Test("A copy onto itself must change something")
    func ontoItself() async throws {
        let harness = try await harness()
        let target = "/bucket/source"
        #expect(try await harness.root.copy(target, to: target).outcome == "400 InvalidRequest")
        let same: HeaderFields = ["x-amz-storage-class": "STANDARD_IA"]
        #expect(try await harness.root.copy(target, to: target, same).outcome == "400 InvalidRequest")
        let tags: HeaderFields = ["x-amz-tagging-directive": "REPLACE", "x-amz-tagging": "u=2"]
        #expect(try await harness.root.copy(target, to: target, tags).outcome == "400 InvalidRequest")
        for headers: HeaderFields in [
            ["x-amz-metadata-directive": "REPLACE", "x-amz-meta-c": "3"], ["x-amz-storage-class": "GLACIER_IR"],
            ["x-amz-website-redirect-location": "/there"],
        ] {
            #expect(try await harness.root.copy(target, to: target, headers).status == 200)
            #expect(try await harness.root.get(target).text == "content")
        }
        try await harness.root.copy(target, to: target, ["x-amz-storage-class": "STANDARD"])
        #expect(try await harness.root.head(target)["x-amz-storage-class"] == nil)
        try await IndexLaws.check(harness)
    }

    @Test(
        "Every condition on the source that does not hold is a 412",
        arguments: [
            ([("if-match", "etag")], 200), ([("if-match", "\"x\"")], 412), ([("if-none-match", "\"x\"")], 200),
            ([("if-none-match", "etag")], 412), ([("if-modified-since", "earlier")], 200),
            ([("if-modified-since", "same")], 412), ([("if-unmodified-since", "same")], 200),
            ([("if-unmodified-since", "earlier")], 412),
            ([("if-match", "etag"), ("if-unmodified-since", "earlier")], 200),
            ([("if-none-match", "etag"), ("if-modified-since", "earlier")], 412),
        ])
    func sourceConditions(_ conditions: [(String, String)], _ status: Int) async throws {
        let harness = try await harness()
        var headers = HeaderFields()
        for (name, value) in conditions {
            headers["x-amz-copy-source-" + name] =
                [
                    "etag": "\"9a0364b9e99bb480dd25e1f0284c8555\"", "same": harness.now.httpDate,
                    "earlier": (harness.now + .seconds(-1)).httpDate,
                ][value] ?? value
        }
        #expect(try await harness.root.copy("/bucket/source", to: "/bucket/copy", headers).status == status)
        #expect(try await harness.root.head("/bucket/copy").status == (status == 200 ? 200 : 404))
        let upload = try await harness.root.startUpload("/bucket/parts")
        let part = try await harness.root.copy(
            "/bucket/source", to: "/bucket/parts?partNumber=1&uploadId=\(upload)", headers)
        #expect(part.status == status)
    }

    @Test("A version can be copied, a delete marker cannot")
    func versions() async throws {
        let harness = try await harness(versioning: "Enabled")
        let old = try await harness.root.head("/bucket/source").versionID ?? ""
        try await harness.root.put("/bucket/source", "newer")
        let copied = try await harness.root.copy("/bucket/source?versionId=\(old)", to: "/bucket/copy")
        #expect(copied.status == 200)
        #expect(copied["x-amz-copy-source-version-id"] == old)
        #expect(copied.versionID != nil && copied.versionID != old)
        #expect(try await harness.root.get("/bucket/copy").text == "content")
        // Copying an older version onto its own key is how AWS says to restore it.
        #expect(try await harness.root.copy("/bucket/source?versionId=\(old)", to: "/bucket/source").status == 200)
        #expect(try await harness.root.get("/bucket/source").text == "content")
        let marker = try await harness.root.delete("/bucket/source").versionID ?? ""
        #expect(try await harness.root.copy("/bucket/source", to: "/bucket/x").outcome == "404 NoSuchKey")
        let named = try await harness.root.copy("/bucket/source?versionId=\(marker)", to: "/bucket/x")
        #expect(named.outcome == "400 InvalidRequest")
        let unknown = String(repeating: "0", count: 32)
        #expect(
            try await harness.root.copy("/bucket/source?versionId=\(unknown)", to: "/bucket/x").outcome
                == "404 NoSuchVersion")
        #expect(
            try await harness.root.copy("/bucket/source?versionId=x", to: "/bucket/x").outcome
                == "400 InvalidArgument")
        try await IndexLaws.check(harness)
    }

    @Test("A copy keeps the source's checksum algorithm, or takes the one that it is asked for")
    func checksums() async throws {
        let harness = try await harness()
        try await harness.root.put("/bucket/sha", "content", ["x-amz-sdk-checksum-algorithm": "SHA256"])
        let kept = try await harness.root.copy("/bucket/sha", to: "/bucket/kept")
        #expect(kept.text("ChecksumSHA256") == "7XACtDnprIRfIjV9giusFERzD722AW0+yUMil7nsn3M=")
        let other = try await harness.root.copy(
            "/bucket/sha", to: "/bucket/other", ["x-amz-checksum-algorithm": "CRC32"])
        #expect(other.text("ChecksumCRC32") != nil)
        #expect(other.text("ChecksumSHA256") == nil)
        let head = try await harness.root.head("/bucket/other", ["x-amz-checksum-mode": "ENABLED"])
        #expect(head["x-amz-checksum-crc32"] == other.text("ChecksumCRC32"))
        let none = try await harness.root.copy("/bucket/sha", to: "/bucket/x", ["x-amz-checksum-algorithm": "CRC16"])
        #expect(none.outcome == "400 InvalidRequest")
    }

    @Test("Copies of long objects are exact, and independent of their source")
    func longCopies() async throws {
        let harness = try await harness()
        let bytes = harness.environment.randomBytes(400_000)
        try await harness.root.put("/bucket/long", Content(bytes))
        try await harness.root.put("/other")
        #expect(try await harness.root.copy("/bucket/long", to: "/other/copy").status == 200)
        try await harness.root.delete("/bucket/long")
        #expect(try await harness.root.get("/other/copy").body == bytes)
        try await IndexLaws.check(harness)
    }

    @Test(
        "A source is decoded once, as its bytes stand",
        arguments: [
            ("a b", "a%20b"), ("a b", "a+b"), ("a+b", "a%2Bb"), ("per%20cent", "per%2520cent"), ("ü", "%C3%BC"),
            ("q?x", "q%3Fx"), ("q?x", "q?x"), ("q?versionId", "q%3FversionId"), ("/lead", "/lead"), ("a//b", "a//b"),
            ("..", ".."), ("a/../b", "a/%2e%2e/b"), ("a/./b", "a/./b"), ("amp&x=1", "amp&x=1"),
        ])
    func sourceForms(_ key: String, _ form: String) async throws {
        let harness = try await harness()
        try await harness.root.put(path("bucket", key), "this one")
        for prefix in ["bucket/", "/bucket/", "bucket%2F"] {
            #expect(try await harness.root.copy(prefix + form, to: "/bucket/copy").status == 200, "\(prefix)\(form)")
            #expect(try await harness.root.get("/bucket/copy").text == "this one")
        }
    }

    @Test("What is not there cannot be copied, nor copied to")
    func missing() async throws {
        let harness = try await harness()
        #expect(try await harness.root.copy("/bucket/none", to: "/bucket/x").outcome == "404 NoSuchKey")
        #expect(try await harness.root.copy("/none/source", to: "/bucket/x").outcome == "404 NoSuchBucket")
        #expect(try await harness.root.copy("/bucket/source", to: "/none/x").outcome == "404 NoSuchBucket")
        for form in ["", "/", "x", "/bucket", "/bucket/", "//", "?versionId=1", "%ff/%ff", "%zz/x", "bucket/%ff"] {
            let refused = try await harness.root.copy(form, to: "/bucket/x")
            #expect(refused.outcome == "400 InvalidArgument", "\(form)")
        }
        #expect(try await harness.root.head("/bucket/x").status == 404)
    }

    @Test("x-amz-source-expected-bucket-owner holds the source, the other header the target")
    func expectedOwners() async throws {
        let harness = try await harness()
        for name in ["x-amz-source-expected-bucket-owner", "x-amz-expected-bucket-owner"] {
            for (owner, status) in [(GatewayHarness.account, 200), (GatewayHarness.otherAccount, 403)] {
                var headers = HeaderFields()
                headers[name] = owner
                #expect(try await harness.root.copy("/bucket/source", to: "/bucket/copy", headers).status == status)
                let upload = try await harness.root.startUpload("/bucket/parts")
                let part = try await harness.root.copy(
                    "/bucket/source", to: "/bucket/parts?partNumber=1&uploadId=\(upload)", headers)
                #expect(part.status == status)
            }
        }
    }

    @Test("Tags are copied only by who may read them there and write them here (versitygw 8d5b2be0)")
    func tagPermissions() async throws {
        func user(_ name: String, _ actions: String...) -> GatewayHarness.User {
            GatewayHarness.User(name: name, policies: actions.map { GatewayHarness.User.allow($0, on: "bucket/*") })
        }
        let harness = try await harness(users: [
            user("plain", "s3:GetObject", "s3:PutObject"),
            user("reader", "s3:GetObject", "s3:PutObject", "s3:GetObjectTagging"),
            user("writer", "s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"),
            user("both", "s3:GetObject", "s3:PutObject", "s3:GetObjectTagging", "s3:PutObjectTagging"),
        ])
        try await harness.root.put("/bucket/bare", "x")
        for (name, status) in [("plain", 403), ("reader", 403), ("writer", 403), ("both", 200)] {
            let client = harness.client(name)
            #expect(try await client.copy("/bucket/source", to: "/bucket/\(name)").status == status, "\(name)")
            #expect(try await client.copy("/bucket/bare", to: "/bucket/\(name)-bare").status == 200)
            let without: HeaderFields = ["x-amz-tagging-directive": "REPLACE"]
            #expect(try await client.copy("/bucket/source", to: "/bucket/\(name)-without", without).status == 200)
        }
    }
}
