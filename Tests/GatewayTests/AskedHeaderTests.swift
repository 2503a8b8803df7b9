import Cryptography
import NIOCore
import Primitives
import Testing

/// Header fields that ask for what is not served: first whether the caller may, then whether S3 would take them, then
/// 501.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html>
@Suite("Headers that ask for what is not served")
struct AskedHeaderTests {
    private static let method = "x-amz-server-side-encryption"
    private static let kmsKey = "x-amz-server-side-encryption-aws-kms-key-id"
    private static let secret = [UInt8](repeating: 7, count: 32)

    /// The three fields of a key of the client's; nil leaves one out.
    private static func customer(
        _ algorithm: String? = "AES256", key: [UInt8]? = secret, md5 hashed: [UInt8]? = secret, source: Bool = false
    ) -> HeaderFields {
        let prefix = (source ? "x-amz-copy-source-" : "x-amz-") + "server-side-encryption-customer-"
        var fields = HeaderFields()
        fields[prefix + "algorithm"] = algorithm
        fields[prefix + "key"] = key.map { Base64.encode($0) }
        fields[prefix + "key-md5"] = hashed.map { Base64.encode(Digest.hash(.md5, $0)) }
        return fields
    }

    private static func with(_ fields: HeaderFields, _ name: String, _ value: String) -> HeaderFields {
        var fields = fields
        fields[name] = value
        return fields
    }

    /// What S3 refuses on every operation that takes a key of the client's.
    private static let badKeys: [(HeaderFields, String)] = [
        (customer(nil), "400 InvalidArgument"), (customer(key: nil), "400 InvalidArgument"),
        (customer(md5: nil), "400 InvalidArgument"), (customer(nil, key: nil), "400 InvalidArgument"),
        (customer(nil, md5: nil), "400 InvalidArgument"), (customer(key: nil, md5: nil), "400 InvalidArgument"),
        (customer("AES128"), "400 InvalidEncryptionAlgorithmError"),
        (customer("aes256"), "400 InvalidEncryptionAlgorithmError"),
        (customer(""), "400 InvalidEncryptionAlgorithmError"),
        (customer(key: [1, 2, 3], md5: [1, 2, 3]), "400 InvalidArgument"),
        (customer(key: secret + [7], md5: secret + [7]), "400 InvalidArgument"),
        (customer(md5: [1]), "400 InvalidArgument"),
        (
            with(customer(), "x-amz-server-side-encryption-customer-key", "no base 64!"), "400 InvalidArgument"
        ),
        (
            with(customer(), "x-amz-server-side-encryption-customer-key-md5", Hex.encode(Digest.hash(.md5, secret))),
            "400 InvalidArgument"
        ),
    ]

    /// What S3 refuses where an object is written or an upload begun.
    private static let badWrites: [(HeaderFields, String)] =
        badKeys + [
            ([method: "aes:kms"], "400 InvalidArgument"), ([method: "AES192"], "400 InvalidArgument"),
            ([method: ""], "400 InvalidArgument"), ([kmsKey: "key"], "400 InvalidArgument"),
            ([method: "AES256", kmsKey: "key"], "400 InvalidArgument"),
            (with(customer(), method, "AES256"), "400 InvalidArgument"),
            (with(customer(), method, "aws:kms"), "400 InvalidArgument"),
            (with(customer(nil, key: nil), method, "AES256"), "400 InvalidArgument"),
        ]

    /// What S3 would do.
    private static let good: [HeaderFields] = [
        [method: "AES256"], [method: "aws:kms"], [method: "aws:kms:dsse"], [method: "aws:kms", kmsKey: "key"],
        customer(),
    ]

    @Test("Encryption that S3 would refuse is refused as S3 does, and the rest is 501; nothing is stored")
    func writes() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "x")
        for (headers, outcome) in Self.badWrites + Self.good.map({ ($0, "501 NotImplemented") }) {
            #expect(try await harness.root.put("/bucket/new", "x", headers).outcome == outcome, "\(headers)")
            #expect(try await harness.root.post("/bucket/new?uploads", "", headers).outcome == outcome, "\(headers)")
            #expect(try await harness.root.copy("bucket/key", to: "/bucket/new", headers).outcome == outcome)
            let fields = headers.fields.map { ($0.name, $0.value) }
            #expect(await harness.root.post(PostedForm("new", "x", fields)).outcome == outcome, "\(headers)")
        }
        for (headers, outcome) in [
            (Self.customer(source: true), "501 NotImplemented"),
            (Self.customer(nil, source: true), "400 InvalidArgument"),
            (Self.customer("x", source: true), "400 InvalidEncryptionAlgorithmError"),
            (Self.customer(md5: [1], source: true), "400 InvalidArgument"),
        ] {
            #expect(try await harness.root.copy("bucket/key", to: "/bucket/new", headers).outcome == outcome)
        }
        #expect(try await harness.root.get("/bucket").texts("Contents/Key") == ["key"])
        #expect(try await harness.root.get("/bucket?uploads").texts("Upload/Key").isEmpty)
    }

    @Test("How an object is encrypted is not said when it is read or when its parts are sent")
    func reads() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "x")
        let upload = try await harness.root.startUpload("/bucket/key")
        let part = "/bucket/key?partNumber=1&uploadId=\(upload)"
        let etag = try await harness.root.put(part, "part").etag
        let misplaced: [(HeaderFields, String)] = [
            ([Self.method: "AES256"], "400 InvalidArgument"), ([Self.kmsKey: "key"], "400 InvalidArgument"),
            ([Self.method: "aws:kms", Self.kmsKey: "key"], "400 InvalidArgument"),
            ([Self.method: "nonsense"], "400 InvalidArgument"),
        ]
        let refused = Self.badKeys + misplaced + [(Self.customer(), "501 NotImplemented")]
        for (headers, outcome) in refused {
            #expect(try await harness.root.get("/bucket/key", headers).outcome == outcome, "\(headers)")
            #expect(try await harness.root.head("/bucket/key", headers).status == Int(outcome.prefix(3)))
            #expect(try await harness.root.put(part, "part", headers).outcome == outcome, "\(headers)")
            #expect(try await harness.root.copy("bucket/key", to: part, headers).outcome == outcome, "\(headers)")
            let completed = try await harness.root.complete("/bucket/key", upload, [(1, etag)], headers)
            #expect(completed.outcome == outcome, "\(headers)")
        }
        #expect(try await harness.root.complete("/bucket/key", upload, [(1, etag)]).status == 200)
        #expect(try await harness.root.get("/bucket/key").text == "part")
    }

    @Test("No answer and no record repeats a key, and a refused body is not read")
    func secrets() async throws {
        let harness = try await GatewayHarness.withBucket()
        let key = Base64.encode(Self.secret)
        for headers in Self.badWrites.map(\.0) + Self.good {
            var (head, _) = try harness.root.signed("PUT", "/bucket/key", headers, "", payload: .unsigned)
            head.fields["content-length"] = "7"
            let source = CountingSource(buffers: [ByteBuffer(string: "content")])
            let refused = await harness.handle(head, Body(length: 7, source: source))
            #expect([400, 501].contains(refused.status))
            #expect(!refused.text.contains(key) && !refused.text.contains("no base 64!"))
            #expect(source.calls == 0)
        }
        for record in try await harness.records() {
            let text = String(decoding: record.json.canonical, as: UTF8.self)
            #expect(!text.contains(key), "\(record)")
        }
    }

    @Test("Whoever may not is told so first, whatever else is wrong")
    func denials() async throws {
        let harness = try await GatewayHarness.withBucket(users: [GatewayHarness.User(name: "nobody")])
        try await harness.root.put("/bucket/key", "x")
        let asked: [HeaderFields] =
            Self.badWrites.map(\.0) + Self.good + [
                ["x-amz-acl": "public-read"], ["x-amz-acl": "nonsense"], ["x-amz-grant-read": "id=a"],
                ["x-amz-object-lock-mode": "GOVERNANCE"], ["x-amz-mfa": "1"],
            ]
        for client in [harness.client("nobody"), harness.anonymous] {
            for headers in asked {
                #expect(try await client.put("/bucket/new", "x", headers).outcome == "403 AccessDenied", "\(headers)")
                #expect(try await client.get("/bucket/key", headers).outcome == "403 AccessDenied", "\(headers)")
                #expect(try await client.put("/bucket?acl", "", headers).outcome == "403 AccessDenied", "\(headers)")
            }
        }
        for (headers, outcome) in [
            (["x-amz-object-lock-mode": "GOVERNANCE"] as HeaderFields, "501 NotImplemented"),
            (["x-amz-acl": "nonsense"], "400 InvalidArgument"),
            (["x-amz-grant-read": "id=a"], "400 AccessControlListNotSupported"),
        ] {
            #expect(try await harness.root.put("/bucket/new", "x", headers).outcome == outcome)
            let fields = headers.fields.map { ($0.name, $0.value) }
            #expect(await harness.root.post(PostedForm("new", "x", fields)).outcome == outcome)
        }
    }

    @Test("A header field that comes twice is of two minds, and refused before anybody believes one")
    func twice() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "x")
        let names = [
            Self.method, "x-amz-acl", "x-amz-copy-source", "x-amz-tagging", "x-amz-storage-class", "x-amz-grant-read",
            "x-amz-metadata-directive", "x-amz-expected-bucket-owner",
        ]
        for name in names {
            let repeated = try await harness.root.send(
                "PUT", "/bucket/new", HeaderFields([.init(name: name, value: "a"), .init(name: name, value: "b")]), "x")
            #expect(repeated.outcome == "400 InvalidArgument", "\(name)")
            #expect(repeated.text("ArgumentName") == name)
        }
        let lists = HeaderFields([
            .init(name: "x-amz-meta-a", value: "1"), .init(name: "x-amz-meta-a", value: "2"),
        ])
        #expect(try await harness.root.put("/bucket/new", "x", lists).status == 200)
        #expect(try await harness.root.head("/bucket/new")["x-amz-meta-a"] == "1,2")
        let attributes = HeaderFields([
            .init(name: "x-amz-object-attributes", value: "ETag"),
            .init(name: "x-amz-object-attributes", value: "ObjectSize"),
        ])
        #expect(try await harness.root.get("/bucket/new?attributes", attributes).text("ObjectSize") == "1")
    }
}
