import Gateway
import Metadata
import Primitives
import S3Model
import Testing

/// Holes that were published of other S3 servers and that no other suite here speaks of.
@Suite("Published holes")
struct PublishedHoleTests {
    @Test("GHSA-x298: versions are listed with their own permission, and the current objects with theirs")
    func versionListing() async throws {
        let lister = GatewayHarness.User(
            name: "lister", policies: [GatewayHarness.User.allow("s3:ListBucket", on: "bucket")])
        let versionLister = GatewayHarness.User(
            name: "version-lister", policies: [GatewayHarness.User.allow("s3:ListBucketVersions", on: "bucket")])
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled", users: [lister, versionLister])
        try await harness.root.put("/bucket/key", "first")
        try await harness.root.put("/bucket/key", "second")
        #expect(try await harness.client("lister").get("/bucket").texts("Contents/Key") == ["key"])
        #expect(try await harness.client("lister").get("/bucket?list-type=2").status == 200)
        #expect(try await harness.client("lister").get("/bucket?versions").outcome == "403 AccessDenied")
        let versions = try await harness.client("version-lister").get("/bucket?versions")
        #expect(versions.texts("Version/Key") == ["key", "key"])
        for target in ["/bucket", "/bucket?list-type=2", "/bucket?versions&x-id=ListObjects", "/bucket?uploads"] {
            let answer = try await harness.client("version-lister").get(target)
            #expect(answer.status == (target.contains("versions") ? 200 : 403), "\(target)")
        }
    }

    @Test("CVE-2026-46685: no answer lets another origin read it")
    func origins() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "x")
        let read = Documents.statement("Allow", "s3:GetObject", on: "bucket/*")
        try await harness.root.put("/bucket?policy", Documents.policy(read))
        for origin in ["https://evil.test", "null", "*"] {
            let headers: HeaderFields = [
                "origin": origin, "access-control-request-method": "GET", "access-control-request-headers": "range",
            ]
            for client in [harness.root, harness.anonymous] {
                for method in ["GET", "HEAD", "OPTIONS"] {
                    let answer = try await client.send(method, "/bucket/key", headers)
                    #expect(answer.status == (method == "OPTIONS" ? 405 : 200))
                    let allowing = answer.fields.fields.map(\.name).filter { $0.hasPrefix("access-control-") }
                    #expect(allowing == [], "\(method) from \(origin)")
                }
            }
        }
    }

    /// Each would end a quoted text, add a statement, or match more than itself, were it ever part of one.
    static let fragments = [
        "'; DROP TABLE entries; --", "' OR '1'='1", "\" OR 1=1 --", "x' UNION SELECT * FROM sqlite_master --", "%", "_",
        "a%", "a_", "[a]", "?1", ":name", "@name", "$name", "';VACUUM;--", "\u{0}'; --",
    ]

    @Test("CVE-2024-40120: what looks like SQL is a key, a tag, a prefix and a marker as any other")
    func statements() async throws {
        let harness = try await GatewayHarness.withBucket()
        for key in Self.fragments + ["ab"] {
            #expect(try await harness.root.put(path("bucket", key), Content(Array(key.utf8))).status == 200)
        }
        let sorted = (Self.fragments + ["ab"]).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        #expect(try await harness.allKeys("/bucket?list-type=2&encoding-type=url") == sorted)
        for (number, key) in sorted.enumerated() {
            #expect(try await harness.root.get(path("bucket", key)).body == Array(key.utf8), "\(key)")
            let encoded = PercentCoding.encode(key.utf8)
            let prefixed = sorted.filter { $0.utf8.starts(with: key.utf8) }
            #expect(try await harness.allKeys("/bucket?list-type=2&encoding-type=url&prefix=\(encoded)") == prefixed)
            let after = Array(sorted[(number + 1)...])
            #expect(try await harness.allKeys("/bucket?encoding-type=url&marker=\(encoded)") == after, "\(key)")
        }
        #expect(try await harness.root.get("/").texts("Buckets/Bucket/Name") == ["bucket"])
    }

    @Test("GHSA-j548: a bucket whose policy cannot be read is not served as if it had none")
    func damagedPolicy() async throws {
        let harness = try await GatewayHarness.withBucket(users: [.administrator("alice")])
        try await harness.root.put("/bucket/key", "x")
        let deny = Documents.policy(Documents.statement("Deny", "s3:GetObject", on: "bucket/*"))
        #expect(try await harness.root.put("/bucket?policy", deny).status == 204)
        let bucket = try await harness.gateway.buckets.bucket("bucket")
        let key = Keys.configuration(bucket.id, .policy)
        for damage: [UInt8] in [[], [0], Array(deny.bytes.dropLast()), [UInt8](repeating: 0xFF, count: 64)] {
            let id = TransactionID(epoch: .max, counter: UInt64(damage.count))
            _ = try await harness.index.memory.commit(Transaction(id: id, mutations: [.put(key, damage)]))
            harness.gateway.buckets.forget("bucket")
            for client in [harness.root, harness.client("alice"), harness.anonymous] {
                let answer = try await client.get("/bucket/key")
                #expect(answer.outcome == "500 InternalError", "\(damage.count)")
                #expect(try await client.put("/bucket/key", "y").outcome == "500 InternalError")
            }
        }
    }
}

extension GatewayHarness {
    /// Every key of a listing that fits a page, decoded.
    fileprivate func allKeys(_ target: String) async throws -> [String] {
        try await root.get(target).texts("Contents/Key").map { text in
            String(decoding: try #require(PercentCoding.decode(text.utf8, plusIsSpace: true)), as: UTF8.self)
        }
    }
}
