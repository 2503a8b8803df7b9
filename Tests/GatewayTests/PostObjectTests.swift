import Cryptography
import NIOCore
import Primitives
import Signing
import Simulation
import Testing

/// POST Object, the browser's form.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html>
@Suite("Forms through the gateway")
struct PostObjectTests {
    private static let alice = GatewayHarness.User(
        name: "alice", policies: [GatewayHarness.User.allow("s3:PutObject", on: "bucket/user/alice/*")])

    private func bucket(_ users: GatewayHarness.User...) async throws -> GatewayHarness {
        let harness = try await GatewayHarness(users: users, domains: ["s3.test"])
        #expect(try await harness.root.put("/bucket").status == 200)
        return harness
    }

    /// Posts a form that must be refused so, and leaves nothing behind.
    private func expect(
        _ outcome: String, of form: PostedForm, in harness: GatewayHarness, by client: S3Client? = nil,
        to target: String = "/bucket", sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let before = try await harness.contents()
        // What was done so far is in the log, so that the next record is this form's.
        _ = try await harness.records()
        let answer = await (client ?? harness.root).post(form, to: target)
        #expect(answer.outcome == outcome, "\(answer)", sourceLocation: sourceLocation)
        #expect(try await harness.contents() == before, sourceLocation: sourceLocation)
        let record = try await harness.records().last
        #expect(record?.name == "PostObject", sourceLocation: sourceLocation)
        #expect(record?.bucket == "bucket", sourceLocation: sourceLocation)
        #expect(record?.error == answer.code, sourceLocation: sourceLocation)
    }

    // MARK: Attacks

    @Test("CVE-2023-43040, CVE-2023-28434: no field changes the bucket that the URL names")
    func otherBucket() async throws {
        let harness = try await bucket()
        try await harness.root.put("/other")
        for conditions in [#"{"bucket":"other"}"#, #"["starts-with","$bucket",""]"#, #"{"bucket":"bucket"}"#] {
            var form = PostedForm("key", "posted", [("bucket", "other")])
            form.conditions = [conditions, #"["starts-with","$key",""]"#]
            try await expect("403 AccessDenied", of: form, in: harness)
        }
        try await harness.root.put(
            "/bucket?policy", Documents.policy(Documents.statement("Allow", "s3:PutObject", on: "bucket/*")))
        try await expect(
            "403 AccessDenied", of: PostedForm("key", "posted", [("bucket", "other")]), in: harness,
            by: harness.anonymous)
        // The URL's bucket, in turn, is the one that the policy must be for.
        let elsewhere = await harness.root.post(PostedForm("key"), to: "/other")
        #expect(elsewhere.outcome == "403 AccessDenied")
        #expect(try await harness.root.get("/other/key").status == 404)
    }

    @Test(
        "CVE-2026-27607, MinIO #21656, SeaweedFS bfea14320: a form must be as its policy says, field by field",
        arguments: [
            ("key", "{\"key\":\"other\"}"), ("acl", "[\"eq\",\"$acl\",\"public-read\"]"),
            ("x-amz-meta-a", "[\"starts-with\",\"$x-amz-meta-a\",\"b\"]"),
            ("content-type", "[\"starts-with\",\"$Content-Type\",\"image/\"]"),
            ("tagging", "{\"tagging\":\"<Tagging/>\"}"), ("x-amz-storage-class", "[\"eq\",\"$key\",\"another\"]"),
        ])
    func conditions(_ name: String, _ condition: String) async throws {
        let harness = try await bucket()
        let values = ["acl": "private", "content-type": "text/html", "x-amz-storage-class": "GLACIER"]
        let value = values[name] ?? "a"
        var form = PostedForm("key", "posted", name == "key" ? [] : [(name, value)])
        form.conditions.append(condition)
        try await expect("403 AccessDenied", of: form, in: harness)
        guard name != "key" else { return }
        form.conditions = [#"{"bucket":"bucket"}"#, #"["starts-with","$key",""]"#]
        try await expect("403 AccessDenied", of: form, in: harness)
    }

    @Test("A form without the right signature, or too old, is refused")
    func signatures() async throws {
        let harness = try await bucket(Self.alice)
        let forged = SigningCredentials(accessKeyID: GatewayHarness.keyID("root"), secret: SecretKey("another secret"))
        try await expect(
            "403 SignatureDoesNotMatch", of: PostedForm("key"), in: harness,
            by: S3Client(harness: harness, credentials: forged))
        let unknown = SigningCredentials(accessKeyID: "NOBODY", secret: SecretKey("another secret"))
        try await expect(
            "403 InvalidAccessKeyId", of: PostedForm("key"), in: harness,
            by: S3Client(harness: harness, credentials: unknown))
        var old = PostedForm("key")
        old.lifetime = -1
        try await expect("403 AccessDenied", of: old, in: harness)
        var twice = PostedForm("key")
        twice.fields.append(("Key", "another"))
        try await expect("400 InvalidArgument", of: twice, in: harness)
    }

    @Test("A policy that expires while its form comes is too old")
    func slowForm() async throws {
        let harness = try await bucket()
        let form = PostedForm("key")
        for (delay, outcome) in [(600, "204"), (601, "403 AccessDenied")] {
            let bytes = form.encoded(by: harness.root.credentials, at: harness.now)
            let head = RequestHead(
                method: "POST", target: "/bucket",
                fields: ["host": "h", "content-type": form.contentType, "content-length": String(bytes.count)])
            let source = LateSource(harness: harness, delay: .seconds(delay), bytes: ByteBuffer(bytes: bytes))
            let answer = await harness.handle(head, Body(length: Int64(bytes.count), source: source))
            #expect(answer.outcome == outcome)
        }
    }

    @Test("A form is signed by its fields and by nothing else")
    func headSignatures() async throws {
        let harness = try await bucket()
        let form = PostedForm("key")
        for credentials in [nil, harness.root.credentials] {
            let bytes = form.encoded(by: credentials, at: harness.now)
            let answer = try await harness.root.send(
                "POST", "/bucket", ["content-type": form.contentType], Content(bytes))
            #expect(answer.outcome == "400 InvalidArgument")
            let presigned = try await harness.root.presigned(
                "POST", "/bucket", ["content-type": form.contentType], Content(bytes))
            #expect(presigned.outcome == "400 InvalidArgument")
        }
        #expect(try await harness.root.get("/bucket/key").status == 404)
    }

    @Test("Who signs a form may do with it what they may do with a PUT, and no more")
    func permissions() async throws {
        let harness = try await bucket(Self.alice, .administrator("mallory", account: GatewayHarness.otherAccount))
        let alice = harness.client("alice")
        #expect(await alice.post(PostedForm("user/alice/${filename}")).status == 204)
        #expect(try await harness.root.get("/bucket/user/alice/name.txt").text == "posted")
        try await expect("403 AccessDenied", of: PostedForm("user/bob/a"), in: harness, by: alice)
        try await expect("403 AccessDenied", of: PostedForm("key"), in: harness, by: harness.client("mallory"))
        let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
        try await expect(
            "403 AccessDenied", of: PostedForm("user/alice/a", "posted", [("tagging", tags)]), in: harness, by: alice)
        let deny = Documents.statement(
            "Deny", "s3:PutObject", on: "bucket/*", when: #"{"StringEquals":{"s3:authType":"POST"}}"#)
        try await harness.root.put("/bucket?policy", Documents.policy(deny))
        try await expect("403 AccessDenied", of: PostedForm("user/alice/a"), in: harness, by: alice)
        var foreign = PostedForm("user/alice/a")
        foreign.headers["x-amz-expected-bucket-owner"] = GatewayHarness.otherAccount
        try await harness.root.delete("/bucket?policy")
        try await expect("403 AccessDenied", of: foreign, in: harness, by: alice)
    }

    @Test("Strangers may post where a bucket's policy lets them, and nowhere else")
    func anonymous() async throws {
        let harness = try await bucket()
        try await expect("403 AccessDenied", of: PostedForm("key"), in: harness, by: harness.anonymous)
        try await harness.root.put(
            "/bucket?policy", Documents.policy(Documents.statement("Allow", "s3:PutObject", on: "bucket/in/*")))
        try await expect("403 AccessDenied", of: PostedForm("key"), in: harness, by: harness.anonymous)
        let answer = await harness.anonymous.post(PostedForm("in/a", "posted", [("submit", "Upload")]))
        #expect(answer.status == 204)
        #expect(try await harness.root.get("/bucket/in/a").text == "posted")
        let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
        try await expect(
            "403 AccessDenied", of: PostedForm("in/b", "posted", [("tagging", tags)]), in: harness,
            by: harness.anonymous)
        let record = try #require(try await harness.records().last { $0.key == "in/a" })
        #expect(record.json["userIdentity"]?["accessKeyId"] == nil)
    }

    @Test("CVE-2016-8626: a form that breaks off, or is none, stores nothing")
    func malformed() async throws {
        let harness = try await bucket()
        let bytes = PostedForm("key").encoded(by: harness.root.credentials, at: harness.now).count
        for length in stride(from: 0, to: bytes - 4, by: 7) {
            var form = PostedForm("key")
            form.bend = { $0.removeSubrange(length...) }
            try await expect("400 MalformedPOSTRequest", of: form, in: harness)
        }
        var form = PostedForm("key")
        form.contentType = "multipart/form-data"
        try await expect("400 MalformedPOSTRequest", of: form, in: harness)
        form.contentType = "application/x-www-form-urlencoded"
        let other = await harness.root.post(form)
        #expect(other.outcome == "412 PreconditionFailed")
        #expect(other.text("Condition") == "Bucket POST must be of the enclosure-type multipart/form-data")
        let long = PostedForm("key", "posted", [("x-ignore-a", String(repeating: "a", count: 20 << 10))])
        let answer = await harness.root.post(long)
        #expect(answer.outcome == "400 MaxPostPreDataLengthExceeded")
        #expect(answer.text("MaxPostPreDataLengthBytes") == "20480")
        var two = PostedForm("key")
        two.trailing = [("file", "another")]
        try await expect("400 IncorrectNumberOfFilesInPostRequest", of: two, in: harness)
        let head = RequestHead(
            method: "POST", target: "/bucket", fields: ["host": "h", "content-type": PostedForm("key").contentType])
        #expect(await harness.handle(head, .empty).outcome == "411 MissingContentLength")
        #expect(try await harness.root.get("/bucket/key").status == 404)
        try await IndexLaws.check(harness)
    }

    @Test("A file outside the bounds of its policy is refused, whatever its size", arguments: [5, 200_000])
    func lengths(_ size: Int) async throws {
        let harness = try await bucket()
        for (least, most, outcome) in [
            (0, size, "204"), (size, size, "204"), (0, size - 1, "400 EntityTooLarge"),
            (size + 1, size + 9, "400 EntityTooSmall"),
        ] {
            var form = PostedForm("key-\(least)-\(most)", Content([UInt8](repeating: 0x61, count: size)))
            form.conditions.append(#"["content-length-range",\#(least),\#(most)]"#)
            let answer = await harness.root.post(form)
            #expect(answer.outcome == outcome, "\(least)...\(most)")
            let got = try await harness.root.get("/bucket/key-\(least)-\(most)")
            #expect(got.status == (outcome == "204" ? 200 : 404))
        }
        try await IndexLaws.check(harness)
    }

    @Test("A checksum that the file does not have is refused")
    func checksums() async throws {
        let harness = try await bucket()
        let right = Base64.encode(Digest.hash(.sha256, Array("posted".utf8)))
        let wrong = Base64.encode(Digest.hash(.sha256, Array("other".utf8)))
        try await expect(
            "400 BadDigest", of: PostedForm("key", "posted", [("x-amz-checksum-sha256", wrong)]), in: harness)
        try await expect(
            "400 BadDigest",
            of: PostedForm("key", "posted", [("Content-MD5", Base64.encode(Digest.hash(.md5, Array("x".utf8))))]),
            in: harness)
        let answer = await harness.root.post(PostedForm("key", "posted", [("x-amz-checksum-sha256", right)]))
        #expect(answer.status == 204)
        #expect(answer["x-amz-checksum-sha256"] == right)
        let head = try await harness.root.head("/bucket/key", ["x-amz-checksum-mode": "ENABLED"])
        #expect(head["x-amz-checksum-sha256"] == right)
    }

    @Test("While the log takes no records, nothing is stored")
    func auditFailure() async throws {
        let harness = try await bucket()
        harness.index.failCommits(.refused)
        let answer = await harness.root.post(PostedForm("key"))
        #expect(answer.outcome == "503 ServiceUnavailable")
        #expect(try await harness.root.get("/bucket/key").status == 404)
        try await IndexLaws.check(harness)
    }

    // MARK: What it is for

    @Test("A form is stored with what its fields say, and its record names who signed it")
    func stored() async throws {
        let harness = try await bucket(.administrator("alice"))
        let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
        let form = PostedForm(
            "dir/key", "posted",
            [
                ("Content-Type", "text/x"), ("Cache-Control", "no-cache"), ("x-amz-meta-Uuid", "14"),
                ("acl", "private"),
                ("tagging", tags), ("x-amz-storage-class", "STANDARD_IA"), ("x-ignore-me", "x"),
            ])
        let answer = await harness.client("alice").post(form)
        #expect(answer.status == 204)
        #expect(answer.body.isEmpty)
        #expect(answer["location"] == "http://gateway.test/bucket/dir%2Fkey")
        let got = try await harness.root.get("/bucket/dir/key")
        #expect(got.text == "posted")
        #expect(got.etag == answer.etag)
        #expect(got["content-type"] == "text/x")
        #expect(got["cache-control"] == "no-cache")
        #expect(got["x-amz-meta-uuid"] == "14")
        #expect(got["x-amz-storage-class"] == "STANDARD_IA")
        #expect(got["x-amz-tagging-count"] == "1")
        let record = try #require(try await harness.records().last { $0.name == "PostObject" })
        #expect(record.error == nil)
        #expect(record.key == "dir/key")
        #expect(record.json["userIdentity"]?["accessKeyId"]?.stringValue == GatewayHarness.keyID("alice"))
        #expect(record.json["userIdentity"]?["userName"]?.stringValue == "alice")
        #expect(record.json["additionalEventData"]?["AuthenticationMethod"]?.stringValue == "PostPolicy")
        #expect(record.json["additionalEventData"]?["bytesTransferredIn"]?.integerValue == 6)
        try await IndexLaws.check(harness)
    }

    @Test("The answer is the one that the form wants")
    func answers() async throws {
        let harness = try await bucket()
        #expect(try await harness.root.setVersioning("bucket", "Enabled").status == 200)
        let created = await harness.root.post(
            PostedForm("a b/c", "posted", [("success_action_status", "201")]), isSecure: true)
        #expect(created.status == 201)
        #expect(created.text("Location") == "https://gateway.test/bucket/a%20b%2Fc")
        #expect(created.text("Bucket") == "bucket")
        #expect(created.text("Key") == "a b/c")
        #expect(created.text("ETag") == created.etag)
        let version = try #require(created.versionID)
        #expect(try await harness.root.get("/bucket/a%20b/c?versionId=\(version)").text == "posted")
        let sent = await harness.root.post(
            PostedForm("key", "posted", [("success_action_redirect", "https://example.com/done?a=b")]))
        #expect(sent.status == 303)
        let etag = PercentCoding.encode((sent.etag ?? "").utf8)
        #expect(sent["location"] == "https://example.com/done?a=b&bucket=bucket&key=key&etag=\(etag)")
        var client = harness.root
        client.host = "bucket.s3.test:8080"
        let virtual = await client.post(PostedForm("key", "posted", [("success_action_status", "200")]), to: "/")
        #expect(virtual.status == 200)
        #expect(virtual["location"] == "http://bucket.s3.test:8080/key")
    }

    @Test(
        "Files of every size come back whole, in a bucket that packs and in one that does not",
        arguments: [0, 1, 1023, 131_072, 131_073, 1_000_000], [true, false])
    func sizes(_ size: Int, _ packs: Bool) async throws {
        let harness = try await GatewayHarness(packs: packs)
        try await harness.root.put("/bucket")
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        #expect(await harness.root.post(PostedForm("key", Content(bytes))).status == 204)
        #expect(try await harness.root.get("/bucket/key").body == bytes)
        try await IndexLaws.check(harness)
    }

    @Test(
        "CVE-2026-54917: a key is a key, whatever it looks like",
        arguments: [
            "..", "../other/key", "a/../b", "/a", "a//b", "a/", "a\\b", "%2e%2e", "a%00", "ä", "a\u{308}", "\0",
            "a\u{1}b", "$", "${file}", "?versions", "a#b", " a ",
        ])
    func keys(_ key: String) async throws {
        let harness = try await bucket()
        var form = PostedForm(key)
        form.conditions = [#"{"bucket":"bucket"}"#, #"["starts-with","$key",""]"#]
        #expect(await harness.root.post(form).status == 204)
        #expect(try await harness.root.get(path("bucket", key)).text == "posted")
        let listed = try await harness.root.get("/bucket?list-type=2&encoding-type=url")
        #expect(listed.texts("Contents/Key") == [PercentCoding.encode(key.utf8, keepingSlash: true)])
    }
}

/// A body that comes after a while.
private struct LateSource: BodySource {
    let harness: GatewayHarness
    let delay: Duration
    var bytes: ByteBuffer?

    mutating func next() async throws(BodyError) -> ByteBuffer? {
        if bytes != nil { harness.advance(by: delay) }
        defer { bytes = nil }
        return bytes
    }
}
