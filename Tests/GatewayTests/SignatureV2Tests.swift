import Cryptography
import Primitives
import S3Wire
import Signing
import Simulation
import Testing

/// Requests of signature version 2, from their head to their record.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html>
@Suite("Signature version 2 at the gateway")
struct SignatureV2Tests {
    private func bucket(_ users: GatewayHarness.User..., domains: [String] = []) async throws -> GatewayHarness {
        let harness = try await GatewayHarness(users: users, domains: domains)
        #expect(try await harness.root.put("/bucket").status == 200)
        return harness
    }

    @Test("What was put is got, and records name the version", arguments: S3Client.Place.allCases)
    func roundTrip(_ place: S3Client.Place) async throws {
        let harness = try await bucket(.administrator("alice"))
        let alice = harness.client("alice")
        let put = await alice.sendV2(
            "PUT", "/bucket/a%20b", in: place, ["content-type": "text/x", "x-amz-meta-a": "1"], "content")
        #expect(put.outcome == "200")
        let got = await alice.sendV2(
            "GET", "/bucket/a%20b?response-content-type=text%2Fy%2Bz", in: place,
            resource: "/bucket/a%20b?response-content-type=text/y+z")
        #expect(got.text == "content")
        #expect(got["content-type"] == "text/y+z")
        #expect(got["x-amz-meta-a"] == "1")
        let records = try await harness.records().filter { ["PutObject", "GetObject"].contains($0.name) }
        #expect(records.count == 2)
        for record in records {
            let data = record.json["additionalEventData"]
            #expect(data?["SignatureVersion"]?.stringValue == "SigV2")
            #expect(
                data?["AuthenticationMethod"]?.stringValue == (place == .query ? "QueryString" : "AuthHeader"))
            #expect(record.json["userIdentity"]?["accessKeyId"]?.stringValue == GatewayHarness.keyID("alice"))
        }
        _ = try await alice.get("/bucket/a%20b")
        let record = try #require(try await harness.records().last)
        #expect(record.json["additionalEventData"]?["SignatureVersion"]?.stringValue == "SigV4")
        try await IndexLaws.check(harness)
    }

    @Test("Nobody is let in who did not sign what is done", arguments: S3Client.Place.allCases)
    func refusals(_ place: S3Client.Place) async throws {
        let harness = try await bucket(GatewayHarness.User(name: "guest"), .administrator("alice"))
        try await harness.root.put("/bucket/key", "content")
        #expect(await harness.client("guest").sendV2("GET", "/bucket/key", in: place).outcome == "403 AccessDenied")
        let alice = harness.client("alice")
        for (method, target, resource) in [
            ("GET", "/bucket/key?versionId=null", "/bucket/key"), ("GET", "/bucket/key?tagging", "/bucket/key"),
            ("GET", "/bucket/key?response-content-type=text%2Fhtml", "/bucket/key"),
            ("PUT", "/bucket/key?partNumber=1&uploadId=u", "/bucket/key"), ("DELETE", "/bucket/key", "/bucket/other"),
            ("GET", "/bucket?policy", "/bucket"), ("GET", "/bucket?attributes", "/bucket"),
        ] {
            let answer = await alice.sendV2(method, target, in: place, resource: resource)
            #expect(answer.outcome == "403 SignatureDoesNotMatch", "\(method) \(target)")
        }
        let hash = Hex.encode(Digest.hash(.sha256, Array("other".utf8)))
        let wrong = await alice.sendV2("PUT", "/bucket/key", in: place, ["x-amz-content-sha256": hash], "content")
        #expect(wrong.outcome == "400 XAmzContentSHA256Mismatch")
        let chunks: HeaderFields = [
            "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "x-amz-decoded-content-length": "7",
        ]
        #expect(await alice.sendV2("PUT", "/bucket/key", in: place, chunks, "content").outcome == "403 AccessDenied")
        #expect(try await harness.root.get("/bucket/key").text == "content")
    }

    @Test("Every name that chooses an operation is signed, or refused, or only says how a listing is written")
    func coverage() async throws {
        let unsigned = ServiceTable.selectors.filter { !SignatureV2Request.signsParameter($0) }
        #expect(unsigned == ["list-type", "session", "renameObject"])
        let harness = try await bucket(.administrator("alice"))
        let alice = harness.client("alice")
        for name in ServiceTable.selectors.sorted() where name != "list-type" {
            for (method, target) in [("GET", "/bucket"), ("PUT", "/bucket/key"), ("DELETE", "/bucket")] {
                for place in S3Client.Place.allCases {
                    let answer = await alice.sendV2(method, "\(target)?\(name)", in: place, resource: target)
                    #expect(
                        answer.outcome
                            == (unsigned.contains(name) ? "403 AccessDenied" : "403 SignatureDoesNotMatch"),
                        "\(method) \(target)?\(name)")
                }
            }
        }
        let listing = await alice.sendV2("GET", "/bucket?list-type=2&prefix=a", in: .query, resource: "/bucket")
        #expect(listing.text("KeyCount") == "0")
        #expect(await alice.sendV2("GET", "/bucket", in: .query, resource: "/bucket/").outcome == "200")
    }

    @Test("CVE-2026-41145: both versions, or both places, are refused before either is verified")
    func both() async throws {
        let harness = try await bucket()
        let root = harness.root
        let query = await root.sendV2("GET", "/bucket", in: .query) { $0.target += "&X-Amz-Algorithm=AWS4-HMAC-SHA256" }
        #expect(query.outcome == "400 InvalidArgument")
        let header = await root.sendV2("GET", "/bucket", in: .query) { $0.fields["authorization"] = "AWS a:b" }
        #expect(header.outcome == "400 InvalidArgument")
        let presigned = try await root.presigned("GET", "/bucket") { $0.target += "&Signature=x" }
        #expect(presigned.outcome == "400 InvalidArgument")
        #expect(
            await root.sendV2("GET", "/bucket") { $0.target += "?AWSAccessKeyId=A" }.outcome == "400 InvalidArgument")
    }

    @Test("x-amz-* parameters are signed as headers, and act as headers", arguments: S3Client.Place.allCases)
    func hoisted(_ place: S3Client.Place) async throws {
        let harness = try await bucket(
            GatewayHarness.User(name: "writer", policies: [GatewayHarness.User.allow("s3:PutObject", on: "bucket/*")]))
        try await harness.root.put("/bucket/source", "content")
        let put = await harness.root.sendV2(
            "PUT", "/bucket/key?x-amz-meta-a=b%20c&X-Amz-Tagging=t%3D1", in: place, [:], "content",
            resource: "/bucket/key", amz: "x-amz-meta-a:b c\nx-amz-tagging:t=1\n")
        #expect(put.outcome == "200")
        let head = try await harness.root.head("/bucket/key")
        #expect(head["x-amz-meta-a"] == "b c")
        #expect(head["x-amz-tagging-count"] == "1")
        let copy = "/bucket/copy?x-amz-copy-source=%2Fbucket%2Fsource"
        let amz = "x-amz-copy-source:/bucket/source\n"
        let copied = await harness.root.sendV2("PUT", copy, in: place, resource: "/bucket/copy", amz: amz)
        #expect(copied.outcome == "200")
        #expect(try await harness.root.get("/bucket/copy").text == "content")
        let writer = harness.client("writer")
        // Whoever may not read the source may not copy it, wherever the source is named.
        #expect(
            await writer.sendV2("PUT", copy, in: place, resource: "/bucket/copy", amz: amz).outcome
                == "403 AccessDenied")
        #expect(
            await writer.sendV2("PUT", copy, in: place, resource: "/bucket/copy").outcome
                == "403 SignatureDoesNotMatch")
    }

    @Test("The bucket of the host is part of what is signed")
    func bucketOfHost() async throws {
        let harness = try await bucket(domains: ["gateway.test"])
        #expect(try await harness.root.put("/other").status == 200)
        var root = harness.root
        root.host = "Bucket.gateway.test:9000"
        let put = await root.sendV2("PUT", "/key", in: .query, [:], "content", resource: "/bucket/key")
        #expect(put.outcome == "200")
        #expect(await root.sendV2("GET", "/key", resource: "/bucket/key").text == "content")
        let elsewhere = await root.sendV2("PUT", "/key", in: .query, [:], "content", resource: "/bucket/key") {
            $0.fields["host"] = "other.gateway.test"
        }
        #expect(elsewhere.outcome == "403 SignatureDoesNotMatch")
        #expect(await root.sendV2("GET", "/?versions", resource: "/bucket/?versions").outcome == "200")
    }

    @Test("Policies can tell the versions apart, and the age of a URL of version 4")
    func conditions() async throws {
        let harness = try await bucket(.administrator("alice"))
        let alice = harness.client("alice")
        try await alice.put("/bucket/key", "content")
        let version = Documents.statement(
            "Deny", "s3:GetObject", on: "bucket/*", when: #"{"StringEquals":{"s3:signatureversion":"AWS"}}"#)
        let age = Documents.statement(
            "Deny", "s3:GetObject", on: "bucket/*", when: #"{"NumericGreaterThan":{"s3:signatureAge":"60000"}}"#)
        #expect(try await harness.root.put("/bucket?policy", Documents.policy(version, age)).status == 204)
        for place in S3Client.Place.allCases {
            #expect(await alice.sendV2("GET", "/bucket/key", in: place).outcome == "403 AccessDenied")
        }
        let (head, _) = try alice.signed("GET", "/bucket/key")
        #expect(try await alice.presigned("GET", "/bucket/key").outcome == "200")
        var url = RequestHead(method: "GET", target: "/bucket/key", fields: ["host": alice.host])
        let credentials = try #require(alice.credentials)
        try Signer(credentials: credentials, region: GatewayHarness.region)
            .presign(&url, at: harness.now, expires: 3600)
        harness.advance(by: .seconds(60))
        #expect(await harness.handle(url, .empty).outcome == "200")
        harness.advance(by: .seconds(1))
        #expect(await harness.handle(url, .empty).outcome == "403 AccessDenied")
        #expect(await harness.handle(head, .empty).outcome == "200", "the age is of URLs alone")
    }

    @Test("A URL or form of version 2 does not say when it was signed, and counts as older than any bound")
    func signatureAge() async throws {
        let harness = try await bucket(.administrator("alice"))
        let alice = harness.client("alice")
        try await alice.put("/bucket/key", "content")
        let old = #"{"NumericGreaterThan":{"s3:signatureAge":"9000000000000"}}"#
        let deny = Documents.statement("Deny", "s3:*", on: "bucket/*", when: old)
        #expect(try await harness.root.put("/bucket?policy", Documents.policy(deny)).status == 204)
        #expect(await alice.sendV2("GET", "/bucket/key", in: .query).outcome == "403 AccessDenied")
        #expect(await alice.sendV2("GET", "/bucket/key", in: .header).outcome == "200")
        var form = PostedForm("posted", "x")
        form.version = .version2
        #expect(await alice.post(form).outcome == "403 AccessDenied")
        form.version = .version4
        #expect(await alice.post(form).outcome == "204")
        let young = #"{"NumericLessThan":{"s3:signatureAge":"60000"}}"#
        let open = try await bucket(GatewayHarness.User(name: "guest"))
        try await open.root.put("/bucket/key", "content")
        let allow = Documents.statement("Allow", "s3:GetObject", on: "bucket/*", when: young)
        let arn = #"{"AWS":"arn:aws:iam::\#(GatewayHarness.account):user/guest"}"#
        let policy = Documents.policy(allow.replacing(#""*""#, with: arn, maxReplacements: 1))
        #expect(try await open.root.put("/bucket?policy", policy).status == 204)
        #expect(try await open.client("guest").presigned("GET", "/bucket/key").outcome == "200")
        #expect(await open.client("guest").sendV2("GET", "/bucket/key", in: .query).outcome == "403 AccessDenied")
    }

    @Test("A form whose policy version 2 signed is posted under its conditions")
    func form() async throws {
        let harness = try await bucket(.administrator("alice"))
        let alice = harness.client("alice")
        var form = PostedForm("key", "posted", [("x-amz-meta-a", "1")])
        form.version = .version2
        #expect(await alice.post(form).status == 204)
        #expect(try await harness.root.get("/bucket/key")["x-amz-meta-a"] == "1")
        let record = try #require(try await harness.records().last { $0.name == "PostObject" })
        #expect(record.json["additionalEventData"]?["SignatureVersion"]?.stringValue == "SigV2")
        #expect(record.json["additionalEventData"]?["AuthenticationMethod"]?.stringValue == "PostPolicy")
        form.conditions.append(#"["content-length-range",1,5]"#)
        #expect(await alice.post(form).outcome == "400 EntityTooLarge")
        form.conditions = [#"{"bucket":"bucket"}"#, #"{"key":"other"}"#]
        #expect(await alice.post(form).outcome == "403 AccessDenied")
        var impostor = alice
        impostor.credentials = SigningCredentials(
            accessKeyID: GatewayHarness.keyID("root"), secret: GatewayHarness.secret("alice"))
        #expect(await impostor.post(form).outcome == "403 SignatureDoesNotMatch")
        var two = PostedForm("key", "posted")
        two.fields.append(("AWSAccessKeyId", GatewayHarness.keyID("alice")))
        #expect(await alice.post(two).outcome == "400 InvalidArgument")
    }
}
