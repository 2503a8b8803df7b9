import Cryptography
import Primitives
import Signing
import Testing

/// What bucket policies may ask of a request: S3's own condition keys.
///
/// Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-policy-keys>
@Suite("Condition keys of requests")
struct ConditionKeyTests {
    /// A gateway whose bucket has one policy, an object `key` and another bucket's `source`.
    private func harness(_ statements: String...) async throws -> GatewayHarness {
        let harness = try await GatewayHarness.withBucket(users: [.administrator("alice")])
        try await harness.root.put("/bucket/key", "x")
        try await harness.root.put("/other")
        try await harness.root.put("/other/public/a b", "x")
        try await harness.root.put("/other/private/a", "x")
        let open = Documents.policy(Documents.statement("Allow", "s3:GetObject", on: "other/*"))
        #expect(try await harness.root.put("/other?policy", open).status == 204)
        let policy = Content(
            Array(#"{"Version":"2012-10-17","Statement":[\#(statements.joined(separator: ","))]}"#.utf8))
        #expect(try await harness.root.put("/bucket?policy", policy).status == 204)
        return harness
    }

    private func allowPut(_ condition: String) -> String {
        Documents.statement("Allow", "s3:PutObject", on: "bucket/*", when: condition)
    }

    private func denyPut(_ condition: String) -> String {
        Documents.statement("Deny", "s3:PutObject", on: "bucket/*", when: condition)
    }

    @Test(
        "A header field of a write decides by the value that the write takes",
        arguments: [
            ("x-amz-server-side-encryption", "AES256", "aws:kms", 501),
            ("x-amz-server-side-encryption-aws-kms-key-id", "a", "b", 400),
            ("x-amz-server-side-encryption-customer-algorithm", "AES256", "AES192", 400),
            ("x-amz-storage-class", "STANDARD", "GLACIER", 200), ("x-amz-storage-class", "GLACIER_IR", "STANDARD", 200),
            ("x-amz-acl", "private", "bucket-owner-full-control", 200), ("x-amz-acl", "public-read", "private", 400),
            ("x-amz-grant-full-control", "id=1", "id=2", 400),
            ("x-amz-website-redirect-location", "/a", "/b", 200),
        ])
    func headers(_ name: String, _ value: String, _ other: String, _ status: Int) async throws {
        let harness = try await harness(allowPut(#"{"StringEquals":{"s3:\#(name)":"\#(value)"}}"#))
        let upper = name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: "-")
        for client in [harness.anonymous] {
            #expect(try await client.put("/bucket/new", "x", [name: value]).status == status)
            #expect(try await client.post("/bucket/new?uploads", "", [name: value]).status == status)
            #expect(try await client.put("/bucket/new", "x", [name: other]).outcome == "403 AccessDenied")
            #expect(try await client.put("/bucket/new", "x").outcome == "403 AccessDenied")
            #expect(try await client.put("/bucket/new?\(upper)=\(value)", "x").outcome == "403 AccessDenied")
            // A part's header fields say nothing of the object.
            let upload = try await harness.root.startUpload("/bucket/parts")
            let part = try await client.putPart("/bucket/parts", upload, 1, "x", [name: value])
            let isParts = name == "x-amz-server-side-encryption-customer-algorithm"
            #expect(part.status == (isParts ? status : 403), "\(name)")
        }
    }

    @Test("Null and IfExists tell a field that is absent from one that is there")
    func absence() async throws {
        let name = "x-amz-server-side-encryption"
        let deny = try await harness(
            Documents.statement("Allow", "s3:PutObject", on: "bucket/*"), denyPut(#"{"Null":{"s3:\#(name)":"true"}}"#),
            denyPut(#"{"StringNotEqualsIfExists":{"s3:\#(name)":"AES256"}}"#))
        for client in [deny.anonymous, deny.client("alice"), deny.root] {
            #expect(try await client.put("/bucket/new", "x").outcome == "403 AccessDenied")
            #expect(try await client.put("/bucket/new", "x", [name: "aws:kms"]).outcome == "403 AccessDenied")
            #expect(try await client.put("/bucket/new", "x", [name: "AES192"]).outcome == "403 AccessDenied")
            #expect(try await client.put("/bucket/new", "x", [name: "AES256"]).outcome == "501 NotImplemented")
        }
        let form = PostedForm("posted", "x", [(name, "aws:kms")])
        #expect(await deny.client("alice").post(form).outcome == "403 AccessDenied")
        #expect(await deny.client("alice").post(PostedForm("posted", "x")).outcome == "403 AccessDenied")
        let allow = try await harness(allowPut(#"{"StringEqualsIfExists":{"s3:x-amz-storage-class":"STANDARD"}}"#))
        #expect(try await allow.anonymous.put("/bucket/new", "x").status == 200)
        let glacier = try await allow.anonymous.put("/bucket/new", "x", ["x-amz-storage-class": "GLACIER"])
        #expect(glacier.outcome == "403 AccessDenied")
    }

    @Test("The source of a copy is bucket and key, decoded once, without a slash before it (GHSA-wfxj)")
    func copySource() async throws {
        let harness = try await harness(allowPut(#"{"StringLike":{"s3:x-amz-copy-source":"other/public/*"}}"#))
        for source in ["other/public/a%20b", "/other/public/a+b", "other%2Fpublic%2Fa%20b"] {
            #expect(try await harness.anonymous.copy(source, to: "/bucket/new").status == 200, "\(source)")
        }
        for source in ["other/private/a", "/other/private/a", "other/%70rivate/a", "other/public%2F..%2Fprivate/b"] {
            let copied = try await harness.anonymous.copy(source, to: "/bucket/new")
            #expect(copied.outcome == "403 AccessDenied" || copied.outcome == "404 NoSuchKey", "\(source)")
        }
        #expect(try await harness.anonymous.copy("other/private/a", to: "/bucket/new").outcome == "403 AccessDenied")
        #expect(try await harness.anonymous.put("/bucket/new", "x").outcome == "403 AccessDenied")
    }

    @Test("The directive of a copy counts where it is said, and only where something is copied")
    func metadataDirective() async throws {
        let harness = try await harness(allowPut(#"{"StringEquals":{"s3:x-amz-metadata-directive":"COPY"}}"#))
        let copy: HeaderFields = ["x-amz-metadata-directive": "COPY"]
        #expect(try await harness.anonymous.copy("other/private/a", to: "/bucket/new", copy).status == 200)
        for headers: HeaderFields in [[:], ["x-amz-metadata-directive": "REPLACE"]] {
            let refused = try await harness.anonymous.copy("other/private/a", to: "/bucket/new", headers)
            #expect(refused.outcome == "403 AccessDenied")
        }
        #expect(try await harness.anonymous.put("/bucket/new", "x", copy).outcome == "403 AccessDenied")
    }

    @Test("The tags of a write are offered one by one, and by their names, however they are sent")
    func requestTags() async throws {
        let names = #""ForAllValues:StringEquals":{"s3:RequestObjectTagKeys":["security","a b"]}"#
        let condition = #"{"StringEquals":{"s3:RequestObjectTag/security":"pub lic"},\#(names)}"#
        let harness = try await harness(
            allowPut(condition), Documents.statement("Allow", "s3:PutObjectTagging", on: "bucket/*", when: condition))
        for (tagging, status) in [
            ("security=pub%20lic", 200), ("a+b=1&security=pub+lic", 200), ("security=pub%2Flic", 403),
            ("security=private", 403), ("security=pub%20lic&other=1", 403), ("a%20b=1", 403),
        ] {
            let headers: HeaderFields = ["x-amz-tagging": tagging]
            #expect(try await harness.anonymous.put("/bucket/new", "x", headers).status == status, "\(tagging)")
            #expect(try await harness.anonymous.post("/bucket/new?uploads", "", headers).status == status)
        }
        #expect(try await harness.anonymous.put("/bucket/new", "x").status == 403)
        let document = String(decoding: Documents.tagging([("security", "pub lic")]).bytes, as: UTF8.self)
        #expect(await harness.anonymous.post(PostedForm("posted", "x", [("tagging", document)])).status == 204)
        let other = document.replacing("lic", with: "lix")
        #expect(await harness.anonymous.post(PostedForm("posted", "x", [("tagging", other)])).status == 403)
    }

    @Test("Of two tags that differ in the case of their names alone, neither hides the other from a policy")
    func tagsOfOneName() async throws {
        let asked = #"{"StringEquals":{"s3:RequestObjectTag/security":"private"}}"#
        let existing = Documents.statement(
            "Deny", "s3:GetObject", on: "bucket/*",
            when: #"{"StringEquals":{"s3:ExistingObjectTag/security":"secret"}}"#)
        let harness = try await harness(denyPut(asked), existing)
        for tags in ["Security=private&security=public", "Security=public&security=private", "SECURITY=private"] {
            let refused = try await harness.client("alice").put("/bucket/new", "x", ["x-amz-tagging": tags])
            #expect(refused.outcome == "403 AccessDenied", "\(tags)")
        }
        for tags in ["Security=secret&security=public", "Security=public&security=secret"] {
            #expect(try await harness.client("alice").put("/bucket/new", "x", ["x-amz-tagging": tags]).status == 200)
            #expect(try await harness.client("alice").get("/bucket/new").outcome == "403 AccessDenied", "\(tags)")
        }
    }

    @Test("How a request is signed, and whether its body is, decides")
    func signatures() async throws {
        let harness = try await harness(
            denyPut(#"{"StringEquals":{"s3:x-amz-content-sha256":"UNSIGNED-PAYLOAD"}}"#),
            denyPut(#"{"StringEquals":{"s3:authType":"REST-QUERY-STRING"}}"#),
            denyPut(#"{"StringNotEqualsIfExists":{"s3:signatureversion":"AWS4-HMAC-SHA256"}}"#),
            denyPut(#"{"NumericGreaterThan":{"s3:signatureAge":"60000"}}"#))
        let alice = harness.client("alice")
        #expect(try await alice.put("/bucket/new", "x").status == 200)
        let unsigned = try await alice.send("PUT", "/bucket/new", [:], "x", payload: .unsigned)
        #expect(unsigned.outcome == "403 AccessDenied")
        #expect(try await alice.presigned("PUT", "/bucket/new", [:], "x").outcome == "403 AccessDenied")
        var form = PostedForm("posted", "x")
        #expect(await alice.post(form).status == 204)
        form.version = .version2
        #expect(await alice.post(form).outcome == "403 AccessDenied")
        // A form that was signed a while ago.
        form.version = .version4
        let bytes = form.encoded(by: alice.credentials, at: harness.now)
        harness.advance(by: .seconds(59))
        #expect(await post(bytes, to: harness).status == 204)
        harness.advance(by: .seconds(2))
        #expect(await post(bytes, to: harness).outcome == "403 AccessDenied")
    }

    private func post(_ bytes: [UInt8], to harness: GatewayHarness) async -> Received {
        let head = RequestHead(
            method: "POST", target: "/bucket",
            fields: [
                "host": "gateway.test", "content-type": PostedForm("a").contentType,
                "content-length": String(bytes.count),
            ])
        return await harness.handle(head, Body(buffers: S3Client.pieces(bytes)))
    }

    @Test("The version of TLS decides, and a connection without it has none")
    func tlsVersion() async throws {
        let harness = try await harness(
            Documents.statement(
                "Allow", "s3:GetObject", on: "bucket/*",
                when: #"{"NumericGreaterThanEquals":{"s3:TlsVersion":"1.3"}}"#))
        let head = RequestHead(
            method: "GET", target: "/bucket/key", fields: ["host": "gateway.test", "x-amz-tlsversion": "1.3"])
        for (version, status) in [("1.3", 200), ("1.2", 403), (nil, 403)] {
            let answer = await harness.handle(head, .empty, isSecure: version != nil, tlsVersion: version)
            #expect(answer.status == status, "\(version ?? "plain")")
        }
    }

    @Test("A key that is not there is told to whoever may list it, as far as the condition on the prefix goes")
    func absentKeys() async throws {
        let listing = Documents.statement(
            "Allow", "s3:ListBucket", on: "bucket", when: #"{"StringLike":{"s3:prefix":"public/*"}}"#)
        let reading = Documents.statement("Allow", "s3:GetObject", on: "bucket/readable/*")
        let denying = Documents.statement("Deny", "s3:GetObject", on: "bucket/public/never/*")
        let harness = try await harness(listing, reading, denying)
        try await harness.root.put("/bucket/public/there", "x")
        let anonymous = harness.anonymous
        for (key, status) in [
            ("public/none", 404), ("public/", 404), ("private/none", 403), ("readable/none", 403), ("public", 403),
            ("public/there", 403), ("public/never/none", 403),
        ] {
            #expect(try await anonymous.head("/bucket/\(key)").status == status, "\(key)")
            let outcome = status == 404 ? "404 NoSuchKey" : "403 AccessDenied"
            #expect(try await anonymous.get("/bucket/\(key)").outcome == outcome, "\(key)")
            #expect(try await anonymous.get("/bucket/\(key)?tagging").outcome == "403 AccessDenied", "\(key)")
            #expect(try await anonymous.get("/bucket/\(key)?versionId=null").outcome == "403 AccessDenied", "\(key)")
        }
        #expect(try await anonymous.copy("bucket/public/none", to: "/bucket/x").outcome == "403 AccessDenied")
    }
}
