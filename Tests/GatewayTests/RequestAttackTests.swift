import NIOCore
import Primitives
import Testing

/// Published holes in authorisation, answers, resources and routing, by their ids.
@Suite("Attacks on requests")
struct RequestAttackTests {
    private typealias User = GatewayHarness.User

    @Test("CVE-2024-36107: conditions tell nothing to who may not read")
    func conditionOracle() async throws {
        let harness = try await GatewayHarness.withBucket(users: [User(name: "nobody")])
        let etag = try await harness.root.put("/bucket/key", "content").etag ?? ""
        let conditions: [HeaderFields] = [
            ["if-match": etag], ["if-match": "\"x\""], ["if-none-match": etag], ["if-none-match": "*"],
            ["if-modified-since": harness.now.httpDate], ["if-unmodified-since": (harness.now + .seconds(-9)).httpDate],
            ["range": "bytes=900-"], ["range": "bytes=0-1"],
        ]
        for client in [harness.client("nobody"), harness.anonymous] {
            for headers in conditions {
                for method in ["GET", "HEAD", "PUT", "DELETE"] {
                    let there = try await client.send(method, "/bucket/key", headers)
                    let missing = try await client.send(method, "/bucket/none", headers)
                    // What S3 takes for no condition of a write is refused before anything is looked at.
                    #expect([403, 501].contains(there.status), "\(method) \(headers)")
                    #expect(missing.outcome == there.outcome)
                    #expect(there.fields.fields.map(\.name) == missing.fields.fields.map(\.name))
                }
                var source = HeaderFields(
                    headers.fields.map { field in
                        HeaderFields.Field(name: "x-amz-copy-source-" + field.name, value: field.value)
                    })
                source["x-amz-copy-source"] = "bucket/key"
                #expect(try await client.put("/bucket/copy", "", source).status == 403)
            }
            for query in ["?partNumber=7", "?partNumber=0", "?versionId=null"] {
                let there = try await client.get("/bucket/key\(query)")
                let missing = try await client.get("/bucket/none\(query)")
                #expect(there.outcome == missing.outcome, "\(query)")
            }
        }
    }

    @Test("GHSA-6r96, GHSA-fc6g, SeaweedFS cce98fcec: no header sets what the server alone knows")
    func conditionKeys() async throws {
        let harness = try await GatewayHarness.withBucket(users: [.administrator("alice")])
        try await harness.root.put("/bucket/key", "x")
        let conditions = [
            #"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, #"{"Bool":{"aws:SecureTransport":"false"}}"#,
            #"{"StringNotEquals":{"aws:username":"root"}}"#,
            #"{"DateGreaterThan":{"aws:CurrentTime":"2023-01-01T00:00:00Z"}}"#,
            #"{"StringEquals":{"s3:authType":"REST-HEADER"}}"#,
        ]
        let forged: HeaderFields = [
            "x-forwarded-for": "10.1.2.3", "forwarded": "for=10.1.2.3;proto=https", "x-real-ip": "10.1.2.3",
            "x-forwarded-proto": "https", "x-amz-source-ip": "10.1.2.3",
            "aws-sourceip": "10.1.2.3", "x-amz-username": "root", "username": "root",
            "x-amz-principal": "root", "x-seaweedfs-principal": "root", "via": "1.1 10.1.2.3",
            "true-client-ip": "10.1.2.3",
        ]
        for condition in conditions {
            let deny = Documents.statement("Deny", "s3:GetObject", on: "bucket/*", when: condition)
            #expect(try await harness.root.put("/bucket?policy", Documents.policy(deny)).status == 204)
            #expect(try await harness.client("alice").get("/bucket/key").status == 403, "\(condition)")
            #expect(try await harness.client("alice").get("/bucket/key", forged).status == 403, "\(condition)")
            let query = forged.fields.map { "\(PercentCoding.encode($0.name.utf8))=x" }.joined(separator: "&")
            #expect(try await harness.client("alice").get("/bucket/key?\(query)").status == 403, "\(condition)")
        }
    }

    @Test("The peer's address and the connection decide, as the socket has them")
    func peer() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "x")
        let allow = Documents.statement(
            "Allow", "s3:GetObject", on: "bucket/*",
            when: #"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"Bool":{"aws:SecureTransport":"true"}}"#)
        try await harness.root.put("/bucket?policy", Documents.policy(allow))
        let head = RequestHead(method: "GET", target: "/bucket/key", fields: ["host": "gateway.test"])
        #expect(await harness.handle(head, .empty, peer: "10.1.2.3", isSecure: true).text == "x")
        #expect(await harness.handle(head, .empty, peer: "10.1.2.3").status == 403)
        #expect(await harness.handle(head, .empty, peer: "11.1.2.3", isSecure: true).status == 403)
        #expect(await harness.handle(head, .empty, peer: "::ffff:10.1.2.3", isSecure: true).status != 500)
        let record = try #require(try await harness.records().last { $0.name == "GetObject" })
        #expect(record.json["sourceIPAddress"]?.stringValue == "::ffff:10.1.2.3")
    }

    @Test("CVE-2026-34204: headers of the inside are no metadata, and change nothing")
    func internalHeaders() async throws {
        let harness = try await GatewayHarness.withBucket()
        let headers: HeaderFields = [
            "x-minio-replication-server-side-encryption-sealed-key": "x", "x-minio-source-etag": "x",
            "internal-reason": "x", "x-amz-delete-marker": "true", "x-amz-version-id": "x", "etag": "x",
            "last-modified": "x", "x-amz-replication-status": "REPLICA", "x-amz-request-id": "x",
        ]
        #expect(try await harness.root.put("/bucket/key", "content", headers).status == 200)
        let got = try await harness.root.get("/bucket/key")
        #expect(got.text == "content")
        #expect(got.etag == "\"9a0364b9e99bb480dd25e1f0284c8555\"")
        for name in ["internal-reason", "x-amz-delete-marker", "x-amz-version-id", "x-amz-replication-status"] {
            #expect(got[name] == nil, "\(name)")
        }
    }

    @Test("CVE-2020-10753, CVE-2021-3524, CVE-2015-5245: no CR or LF reaches a header of an answer")
    func headerInjection() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "x")
        let breaks = ["%0d%0a", "%0a", "%0d", "%00", "%7f", "a%0d%0aSet-Cookie:%20x", "%c2%85"]
        let names = [
            "content-type", "content-language", "expires", "cache-control", "content-disposition",
            "content-encoding",
        ]
        for text in breaks {
            for name in names {
                let got = try await harness.root.get("/bucket/key?response-\(name)=\(text)")
                #expect(got.status == 400 || text == "%c2%85", "\(name) \(text)")
                Self.expectCleanHeaders(got)
            }
            for target in [
                "/bucket/\(text)", "/\(text)", "/bucket?prefix=\(text)", "/bucket?\(text)",
                "/bucket/key?versionId=\(text)",
                "/bucket/key?uploadId=\(text)", "/bucket?x-id=\(text)", "/bucket/key?partNumber=\(text)",
            ] {
                for method in ["GET", "HEAD", "PUT", "DELETE", "POST"] {
                    Self.expectCleanHeaders(try await harness.root.send(method, target))
                }
            }
        }
    }

    private static func expectCleanHeaders(_ answer: Received) {
        for field in answer.fields.fields {
            #expect(!field.value.utf8.contains { $0 < 0x20 || $0 == 0x7F }, "\(field.name)")
            #expect(
                field.name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D })
        }
    }

    @Test("CVE-2020-1760, CVE-2016-9579: what a request says comes back escaped")
    func escapes() async throws {
        let harness = try await GatewayHarness.withBucket()
        let script = "<script>alert('&\"')</script>"
        let encoded = PercentCoding.encode(script.utf8)
        for target in [
            "/bucket/\(encoded)", "/\(encoded)", "/bucket?versionId=\(encoded)&prefix=\(encoded)",
            "/bucket/key?versionId=\(encoded)", "/bucket?x-id=\(encoded)",
            "/bucket?prefix=\(encoded)&max-keys=\(encoded)",
        ] {
            for client in [harness.root, harness.anonymous] {
                let got = try await client.get(target)
                #expect(!got.text.contains("<script"), "\(target)")
                #expect(got["content-type"] == "application/xml")
                #expect(got.xml != nil)
            }
        }
    }

    private static let bombs: [String] = [
        "<!DOCTYPE x><Tagging/>", "<!DOCTYPE x [<!ENTITY a \"b\">]><Tagging>&a;</Tagging>",
        "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><Tagging/>",
        "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><Tagging>&a;</Tagging>",
        "<!DOCTYPE l [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><Tagging>&b;</Tagging>",
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?><Tagging/>", "<?evil pi?><Tagging/>",
        String(repeating: "<a>", count: 5000) + String(repeating: "</a>", count: 5000),
        "<Tagging " + (0..<500).map { "a\($0)=\"1\"" }.joined(separator: " ") + "/>",
        "<Tagging xmlns=\"" + String(repeating: "x", count: 10_000) + "\"/>", "<Tagging>&#0;</Tagging>",
        "\u{FEFF}\u{FEFF}<Tagging/>", "<Tagging></Tagging><Tagging/>",
    ]

    @Test("Documents that are bombs, or have a DOCTYPE, are refused everywhere", arguments: bombs)
    func xml(_ document: String) async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "x")
        let upload = try await harness.root.startUpload("/bucket/key")
        let before = try await harness.contents()
        let content = Content(Array(document.utf8))
        let headers: HeaderFields = ["content-md5": Documents.md5(content)]
        for (method, target, code) in [
            ("PUT", "/bucket?tagging", "MalformedXML"), ("PUT", "/bucket/key?tagging", "MalformedXML"),
            ("POST", "/bucket?delete", "MalformedXML"), ("PUT", "/bucket?versioning", "MalformedXML"),
            ("POST", "/bucket/key?uploadId=\(upload)", "MalformedXML"), ("PUT", "/bucket?acl", "MalformedACLError"),
            ("PUT", "/bucket/key?acl", "MalformedACLError"), ("PUT", "/new-bucket", "MalformedXML"),
        ] {
            let refused = try await harness.root.send(method, target, headers, content)
            #expect(refused.outcome == "400 \(code)", "\(method) \(target)")
            #expect(!refused.text.contains("root:"))
        }
        #expect(try await harness.contents() == before)
    }

    @Test("Documents have a bound, and are not read beyond it")
    func longDocuments() async throws {
        let harness = try await GatewayHarness.withBucket()
        let long = Content([UInt8](repeating: 0x20, count: (4 << 20) + 1))
        for target in ["/bucket?tagging", "/bucket?versioning", "/new-bucket"] {
            let refused = try await harness.root.send("PUT", target, [:], long, payload: .unsigned)
            #expect(refused.outcome == "400 MaxMessageLengthExceeded")
        }
        let many = Documents.delete((0...1000).map { DeleteItem("key\($0)") })
        let refused = try await harness.root.post("/bucket?delete", many, ["content-md5": Documents.md5(many)])
        #expect(refused.outcome == "400 MalformedXML")
    }

    @Test("A stranger's document is not waited for where no policy could allow it")
    func strangersDocuments() async throws {
        let harness = try await GatewayHarness.withBucket()
        let targets = [
            ("POST", "/bucket?delete"), ("PUT", "/bucket?policy"), ("PUT", "/bucket?tagging"), ("PUT", "/other"),
            ("PUT", "/bucket/key?tagging"), ("POST", "/bucket/key?uploadId=x"), ("PUT", "/bucket?versioning"),
        ]
        func send(_ method: String, _ target: String) async -> (Received, Bool) {
            let source = CountingSource(buffers: [ByteBuffer(string: "<a/>")])
            let head = RequestHead(
                method: method, target: target, fields: ["host": "gateway.test", "content-length": "4"])
            return (await harness.handle(head, Body(length: 4, source: source)), source.calls > 0)
        }
        for (method, target) in targets {
            let (answer, isAsked) = await send(method, target)
            #expect(answer.outcome == "403 AccessDenied", "\(method) \(target)")
            #expect(!isAsked, "\(method) \(target)")
        }
        let (missing, isAsked) = await send("POST", "/none?delete")
        #expect(missing.outcome == "404 NoSuchBucket" && !isAsked)
        let deletes = Documents.policy(Documents.statement("Allow", "s3:DeleteObject", on: "bucket/*"))
        #expect(try await harness.root.put("/bucket?policy", deletes).status == 204)
        #expect(await send("POST", "/bucket?delete").1, "whom a policy may allow it is listened to")
    }

    /// What the gateway serves. Forms are served where they come in.
    private static let served: Set<String> = [
        "AbortMultipartUpload", "CompleteMultipartUpload", "CopyObject", "CreateBucket", "CreateMultipartUpload",
        "DeleteBucket", "DeleteBucketCors", "DeleteBucketEncryption", "DeleteBucketLifecycle", "DeleteBucketPolicy",
        "DeleteBucketReplication", "DeleteBucketTagging", "DeleteBucketWebsite", "DeleteObject", "DeleteObjects",
        "DeleteObjectTagging", "DeletePublicAccessBlock", "GetBucketAccelerateConfiguration", "GetBucketAcl",
        "GetBucketCors", "GetBucketEncryption", "GetBucketLifecycleConfiguration", "GetBucketLocation",
        "GetBucketLogging", "GetBucketNotificationConfiguration", "GetBucketOwnershipControls", "GetBucketPolicy",
        "GetBucketPolicyStatus", "GetBucketReplication", "GetBucketRequestPayment", "GetBucketTagging",
        "GetBucketVersioning", "GetBucketWebsite", "GetObject", "GetObjectAcl", "GetObjectAttributes",
        "GetObjectLegalHold", "GetObjectLockConfiguration", "GetObjectRetention", "GetObjectTagging",
        "GetPublicAccessBlock", "HeadBucket", "HeadObject", "ListBuckets", "ListMultipartUploads", "ListObjects",
        "ListObjectsV2", "ListObjectVersions", "ListParts", "PostObject", "PutBucketAcl", "PutBucketPolicy",
        "PutBucketTagging", "PutBucketVersioning", "PutObject", "PutObjectAcl", "PutObjectLegalHold",
        "PutObjectLockConfiguration", "PutObjectRetention", "PutObjectTagging", "PutPublicAccessBlock", "UploadPart",
        "UploadPartCopy",
    ]

    @Test("A sub-resource that is not served is never the bare operation (attacks §10)")
    func unserved() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "content")
        try await harness.root.put("/empty")
        let before = try await harness.contents()
        let unserved = ServedRoutes.all.filter { !Self.served.contains($0.operation) }
        #expect(unserved.count > 40)
        for route in unserved {
            for base in route.bases {
                let query = route.selectors.sorted().joined(separator: "&")
                for suffix in ["", "=", "=x"] {
                    let answer = try await harness.root.send(route.method, "\(base)?\(query)\(suffix)", [:], "<x/>")
                    #expect(answer.outcome == "501 NotImplemented", "\(route.operation)\(suffix)")
                }
                #expect(try await harness.anonymous.send(route.method, "\(base)?\(query)").status == 501)
            }
        }
        #expect(try await harness.contents() == before)
    }

    @Test("Every pair of sub-resources is one operation at most, and never the bare one")
    func pairs() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "content")
        let before = try await harness.contents()
        let selectors = ServedRoutes.selectors
        for (first, second) in Array(zip(selectors, selectors.dropFirst()))
            + Array(zip(selectors, selectors.dropFirst(7)))
        {
            for method in ["DELETE", "PUT", "POST"] {
                for base in ["/bucket", "/bucket/key"] {
                    let answer = try await harness.root.send(method, "\(base)?\(first)&\(second)", [:], "<x/>")
                    #expect(answer.status == 501, "\(method) \(base)?\(first)&\(second)")
                }
            }
        }
        #expect(try await harness.contents() == before)
    }

    @Test("x-id and unknown names in a query change nothing")
    func identifiers() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "content")
        // What SDKs mark their requests with changes nothing, as in AWS: the form of the request alone counts.
        #expect(try await harness.root.get("/bucket/key?x-id=DeleteObject").text == "content")
        #expect(
            try await harness.root.send("DELETE", "/bucket?x-id=DeleteBucketWebsite").outcome == "409 BucketNotEmpty")
        let website = try await harness.root.send("DELETE", "/bucket?website&x-id=DeleteBucket")
        #expect(website.status == 204, "there is none, and the bucket stays")
        #expect(try await harness.root.get("/bucket/key").text == "content")
        #expect(try await harness.root.put("/bucket/key?tagging&x-id=PutObject", "x").outcome == "400 MalformedXML")
        #expect(try await harness.root.get("/bucket/key?x-id=GetObject").text == "content")
        #expect(try await harness.root.get("/bucket/key?unknown=1&foo&website2").text == "content")
        #expect(try await harness.root.put("/bucket/other?x-amz-acl=public-read&foo", "x").status == 200)
        let upper = try await harness.root.send("DELETE", "/bucket?Website")
        #expect(upper.outcome == "409 BucketNotEmpty", "names are compared as they are, and this one is unknown")
        for method in ["PATCH", "OPTIONS", "TRACE", "get", "CONNECT"] {
            #expect(try await harness.root.send(method, "/bucket/key").outcome == "405 MethodNotAllowed", "\(method)")
            #expect(try await harness.root.send(method, "/").outcome == "405 MethodNotAllowed", "\(method)")
        }
        #expect(
            try await harness.root.get("/bucket/key?versionId=null&versionId=null").outcome == "400 InvalidArgument")
        #expect(try await harness.root.get("/bucket/key").text == "content")
    }
}
