import Metadata
import Primitives
import S3Model
import Simulation
import Testing

/// Conditional writes and deletes, which the commit decides.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>,
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html>
@Suite("Conditional writes")
struct ConditionalWriteTests {
    @Test("If-None-Match: * writes only what is not there")
    func ifNoneMatch() async throws {
        let harness = try await GatewayHarness.withBucket()
        #expect(try await harness.root.put("/bucket/key", "first", ["if-none-match": "*"]).status == 200)
        let before = try await harness.contents()
        let refused = try await harness.root.put("/bucket/key", "second", ["if-none-match": "*"])
        #expect(refused.outcome == "412 PreconditionFailed")
        #expect(refused.text("Condition") == "If-None-Match")
        #expect(try await harness.contents() == before)
        #expect(try await harness.root.get("/bucket/key").text == "first")
    }

    @Test("If-None-Match with a tag writes over anything but what it names (RFC 9110 §13.1.2)")
    func ifNoneMatchTag() async throws {
        let harness = try await GatewayHarness.withBucket()
        let first = try await harness.root.put("/bucket/key", "first", ["if-none-match": "\"etag\""])
        let tag = try #require(first.etag)
        for header in [tag, "\"other\", \(tag)", "W/\(tag)", "\"other\", *"] {
            let refused = try await harness.root.put("/bucket/key", "second", ["if-none-match": header])
            #expect(refused.outcome == "412 PreconditionFailed", "\(header)")
        }
        #expect(try await harness.root.get("/bucket/key").text == "first")
        let second = try await harness.root.put(
            "/bucket/key", "second", ["if-none-match": "\"other\"", "if-match": "*"])
        #expect(second.status == 200)
        let both = try await harness.root.put("/bucket/key", "x", ["if-none-match": "*", "if-match": "*"])
        #expect(both.outcome == "412 PreconditionFailed")
        #expect(try await harness.root.get("/bucket/key").text == "second")
        #expect(try await harness.root.put("/bucket/none", "x", ["if-match": "*"]).outcome == "404 NoSuchKey")
    }

    @Test("If-Match writes only over what it names")
    func ifMatch() async throws {
        let harness = try await GatewayHarness.withBucket()
        #expect(try await harness.root.put("/bucket/key", "x", ["if-match": "\"etag\""]).outcome == "404 NoSuchKey")
        let first = try await harness.root.put("/bucket/key", "first")
        let wrong = try await harness.root.put("/bucket/key", "second", ["if-match": "\"etag\""])
        #expect(wrong.outcome == "412 PreconditionFailed")
        #expect(try await harness.root.get("/bucket/key").text == "first")
        let right = try await harness.root.put("/bucket/key", "second", ["if-match": first.etag ?? ""])
        #expect(right.status == 200)
        #expect(try await harness.root.get("/bucket/key").text == "second")
    }

    @Test("A delete marker is no object to conditions")
    func deleteMarkers() async throws {
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled")
        let first = try await harness.root.put("/bucket/key", "first")
        try await harness.root.delete("/bucket/key")
        let match = try await harness.root.put("/bucket/key", "x", ["if-match": first.etag ?? ""])
        #expect(match.outcome == "404 NoSuchKey")
        #expect(try await harness.root.put("/bucket/key", "second", ["if-none-match": "*"]).status == 200)
        #expect(try await harness.root.put("/bucket/key", "third", ["if-none-match": "*"]).status == 412)
    }

    @Test("Of 16 writers at once with If-None-Match exactly one wins", arguments: [true, false], [0, 3])
    func oneWinner(_ packs: Bool, _ padding: Int) async throws {
        let harness = try await GatewayHarness.withBucket(packs: packs)
        for round in 0..<3 {
            let answers = try await writeAtOnce(harness, "/bucket/\(round)", ["if-none-match": "*"])
            let winners = answers.filter { $0.value.status == 200 }
            #expect(winners.count == 1)
            #expect(answers.values.allSatisfy { [200, 412].contains($0.status) })
            let winner = try #require(winners.keys.first)
            #expect(try await harness.root.get("/bucket/\(round)").text == "writer \(winner)")
        }
        try await IndexLaws.check(harness)
    }

    @Test("Of 16 writers at once with If-Match exactly one wins", arguments: [true, false])
    func oneSwap(_ packs: Bool) async throws {
        let harness = try await GatewayHarness.withBucket(packs: packs)
        let first = try await harness.root.put("/bucket/key", "first")
        let answers = try await writeAtOnce(harness, "/bucket/key", ["if-match": first.etag ?? ""])
        #expect(answers.values.count { $0.status == 200 } == 1)
        #expect(answers.values.allSatisfy { [200, 412].contains($0.status) })
        try await IndexLaws.check(harness)
    }

    @Test("16 unconditional writers of one key all succeed", arguments: [true, false], [nil, "Enabled", "Suspended"])
    func allSucceed(_ packs: Bool, _ versioning: String?) async throws {
        let harness = try await GatewayHarness.withBucket(versioning: versioning, packs: packs)
        let answers = try await writeAtOnce(harness, "/bucket/key", [:])
        for (writer, answer) in answers { #expect(answer.status == 200, "writer \(writer): \(answer)") }
        let text = try await harness.root.get("/bucket/key").text
        #expect((0..<16).contains { text == "writer \($0)" })
        try await IndexLaws.check(harness)
    }

    private func writeAtOnce(
        _ harness: GatewayHarness, _ target: String, _ headers: HeaderFields
    ) async throws -> [Int: Received] {
        try await withThrowingTaskGroup(of: (Int, Received).self) { group in
            for writer in 0..<16 {
                group.addTask {
                    (writer, try await harness.root.put(target, "writer \(writer)", headers))
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    @Test("What comes between the first look and the commit decides")
    func decidedAtCommit() async throws {
        let harness = try await GatewayHarness.withBucket()
        let bucket = try await harness.bucketID()
        let key = try #require(ObjectKey("key"))
        harness.index.beforeCommit(of: Keys.live(bucket, key)) {
            let other = try? await harness.root.put("/bucket/key", "other")
            #expect(other?.status == 200)
        }
        let late = try await harness.root.put("/bucket/key", "late", ["if-none-match": "*"])
        #expect(late.outcome == "412 PreconditionFailed")
        let etag = try await harness.root.get("/bucket/key").etag ?? ""
        harness.index.beforeCommit(of: Keys.live(bucket, key)) {
            let other = try? await harness.root.delete("/bucket/key")
            #expect(other?.status == 204)
        }
        #expect(try await harness.root.put("/bucket/key", "late", ["if-match": etag]).outcome == "404 NoSuchKey")
        #expect(try await harness.root.get("/bucket/key").outcome == "404 NoSuchKey")
        try await IndexLaws.check(harness)
    }

    @Test("Copies and completed uploads take the same conditions")
    func otherWrites() async throws {
        let harness = try await GatewayHarness.withBucket()
        let source = try await harness.root.put("/bucket/source", "source")
        #expect(try await harness.root.copy("/bucket/source", to: "/bucket/new", ["if-none-match": "*"]).status == 200)
        let onto = try await harness.root.copy("/bucket/source", to: "/bucket/new", ["if-none-match": "*"])
        #expect(onto.outcome == "412 PreconditionFailed")
        let etag = source.etag ?? ""
        #expect(try await harness.root.copy("/bucket/source", to: "/bucket/new", ["if-match": etag]).status == 200)
        let upload = try await harness.root.startUpload("/bucket/new")
        let part = try await harness.root.putPart("/bucket/new", upload, 1, "part")
        let parts = [(1, part.etag)]
        let refused = try await harness.root.complete("/bucket/new", upload, parts, ["if-none-match": "*"])
        #expect(refused.outcome == "412 PreconditionFailed")
        let wrong = try await harness.root.complete("/bucket/new", upload, parts, ["if-match": "\"x\""])
        #expect(wrong.outcome == "412 PreconditionFailed")
        #expect(try await harness.root.complete("/bucket/new", upload, parts, ["if-match": etag]).status == 200)
        #expect(try await harness.root.get("/bucket/new").text == "part")
        try await IndexLaws.check(harness)
    }

    @Test(
        "A conditional delete deletes only what it names",
        arguments: [
            ("if-match", "\"9a0364b9e99bb480dd25e1f0284c8555\"", 204), ("if-match", "*", 204),
            ("if-match", "\"other\"", 412), ("x-amz-if-match-size", "7", 204), ("x-amz-if-match-size", "8", 412),
            ("x-amz-if-match-last-modified-time", "Tue, 14 Nov 2023 22:13:20 GMT", 204),
            ("x-amz-if-match-last-modified-time", "Tue, 14 Nov 2023 22:13:21 GMT", 412),
            // A condition that does not parse must not be taken for none.
            ("x-amz-if-match-size", "seven", 400), ("x-amz-if-match-last-modified-time", "noon", 400),
        ])
    func deletes(_ header: String, _ value: String, _ status: Int) async throws {
        let harness = try await GatewayHarness.withBucket()
        var headers = HeaderFields()
        headers[header] = value
        let missing = try await harness.root.delete("/bucket/key", headers)
        // Where nothing is, S3 takes a condition on size or time as met, and one on the tag as not found.
        #expect(missing.status == (status == 400 ? 400 : header == "if-match" ? 404 : 204))
        try await harness.root.put("/bucket/key", "content")
        #expect(try await harness.root.delete("/bucket/key", headers).status == status)
        #expect(try await harness.root.head("/bucket/key").status == (status == 204 ? 404 : 200))
    }

    @Test("Each key of DeleteObjects has its own condition")
    func deleteObjects() async throws {
        let harness = try await GatewayHarness.withBucket()
        let etag = try await harness.root.put("/bucket/right", "content").etag
        try await harness.root.put("/bucket/wrong", "content")
        let deleted = try await harness.root.deleteAll(
            "bucket",
            [
                DeleteItem("right", etag: etag), DeleteItem("wrong", etag: "\"other\""),
                DeleteItem("missing", etag: etag),
            ])
        #expect(deleted.status == 200)
        #expect(deleted.texts("Deleted/Key") == ["right"])
        #expect(deleted.texts("Error/Key") == ["wrong", "missing"])
        #expect(deleted.texts("Error/Code") == ["PreconditionFailed", "NoSuchKey"])
        #expect(try await harness.root.head("/bucket/wrong").status == 200)
    }

    @Test("Conditions that do not parse keep every key of DeleteObjects")
    func malformedItems() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "content")
        for element in ["<Size>seven</Size>", "<LastModifiedTime>noon</LastModifiedTime>"] {
            let document = Content(Array("<Delete><Object><Key>key</Key>\(element)</Object></Delete>".utf8))
            let refused = try await harness.root.post(
                "/bucket?delete", document, ["content-md5": Documents.md5(document)])
            #expect(refused.outcome == "400 InvalidArgument")
        }
        #expect(try await harness.root.head("/bucket/key").status == 200)
    }

    @Test("A condition on an ETag is a read: who may not read learns nothing by it")
    func permissions() async throws {
        let writer = GatewayHarness.User(
            name: "writer", policies: [GatewayHarness.User.allow("s3:PutObject", "s3:DeleteObject", on: "bucket/*")])
        let harness = try await GatewayHarness.withBucket(users: [writer])
        let etag = try await harness.root.put("/bucket/key", "content").etag ?? ""
        let client = harness.client("writer")
        for tag in [etag, "\"other\""] {
            #expect(try await client.put("/bucket/key", "x", ["if-match": tag]).outcome == "403 AccessDenied")
            #expect(try await client.put("/bucket/key", "x", ["if-none-match": tag]).outcome == "403 AccessDenied")
            #expect(try await client.delete("/bucket/key", ["if-match": tag]).outcome == "403 AccessDenied")
            let listed = try await client.deleteAll("bucket", [DeleteItem("key", etag: tag)])
            #expect(listed.texts("Error/Code") == ["AccessDenied"])
            let upload = try await client.startUpload("/bucket/key")
            let part = try await client.putPart("/bucket/key", upload, 1, "x")
            let completed = try await client.complete("/bucket/key", upload, [(1, part.etag)], ["if-match": tag])
            #expect(completed.outcome == "403 AccessDenied")
        }
        #expect(try await client.put("/bucket/other", "x", ["if-none-match": "*"]).status == 200)
        #expect(try await harness.root.get("/bucket/key").text == "content")
        #expect(try await client.delete("/bucket/key", ["if-match": "*"]).status == 204)
    }

    @Test("A bucket's policy can demand conditional writes, as AWS documents it")
    func enforced() async throws {
        let harness = try await GatewayHarness.withBucket(users: [.administrator("alice")])
        let policy = Documents.statement(
            "Deny", "s3:PutObject", on: "bucket/*",
            when: #"{"Null":{"s3:if-none-match":"true"},"Bool":{"s3:ObjectCreationOperation":"true"}}"#)
        #expect(try await harness.root.put("/bucket?policy", Documents.policy(policy)).status == 204)
        let alice = harness.client("alice")
        #expect(try await alice.put("/bucket/key", "x").outcome == "403 AccessDenied")
        #expect(try await alice.put("/bucket/key", "x", ["if-none-match": "*"]).status == 200)
        let madeUp = try await alice.put("/bucket/key", "y", ["if-none-match": "\"made-up\""])
        #expect(madeUp.outcome == "403 AccessDenied", "a tag that nothing has would let everything be overwritten")
        let upload = try await alice.startUpload("/bucket/upload")
        let part = try await alice.putPart("/bucket/upload", upload, 1, "x")
        #expect(part.status == 200, "parts take no conditions and are exempt")
        let parts = [(1, part.etag)]
        #expect(try await alice.complete("/bucket/upload", upload, parts).outcome == "403 AccessDenied")
        #expect(try await alice.complete("/bucket/upload", upload, parts, ["if-none-match": "*"]).status == 200)
    }
}
