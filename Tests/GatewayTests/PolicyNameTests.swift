import Policy
import Primitives
import Testing

/// Policies that name what does not exist, and every condition key that does.
@Suite("Names in policies at the gateway")
struct PolicyNameTests {
    private typealias User = GatewayHarness.User

    @Test("A policy that names what does not exist is refused with what may have been meant, and the old one stays")
    func refused() async throws {
        let harness = try await GatewayHarness.withBucket()
        let old = Documents.policy(Documents.statement("Deny", "s3:DeleteObject", on: "bucket/*"))
        #expect(try await harness.root.put("/bucket?policy", old).status == 204)
        for (action, condition, message) in [
            ("s3:PutObjekt", nil, "Policy has invalid action: s3:PutObjekt; did you mean s3:PutObject?"),
            (
                "s3:*", #"{"IpAddress":{"aws:SourceIPx":"192.0.2.0/24"}}"#,
                "Policy has an invalid condition key: aws:SourceIPx; did you mean aws:SourceIp?"
            ),
            (
                "s3:*", #"{"StringEquals":{"aws:userid":"AIDA"}}"#,
                "Policy has a condition key that is not supported: no request to this server has aws:userid, so that "
                    + "the denial would never apply"
            ),
        ] {
            let policy = Documents.policy(Documents.statement("Deny", action, on: "bucket/*", when: condition))
            let answer = try await harness.root.put("/bucket?policy", policy)
            #expect(answer.outcome == "400 MalformedPolicy")
            #expect(answer.text("Message") == message)
        }
        #expect(try await harness.root.get("/bucket?policy").body == old.bytes)
    }

    /// Requests that together have every condition key; whether one is allowed is all that counts of them.
    private static func requests(_ client: S3Client) async throws -> [Received] {
        let write: HeaderFields = [
            "x-amz-acl": "private", "x-amz-grant-full-control": "id=1", "x-amz-grant-read": "id=1",
            "x-amz-grant-read-acp": "id=1", "x-amz-grant-write": "id=1", "x-amz-grant-write-acp": "id=1",
            "x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": "1",
            "x-amz-server-side-encryption-customer-algorithm": "AES256", "x-amz-storage-class": "STANDARD",
            "x-amz-website-redirect-location": "/", "x-amz-tagging": "team=a", "if-none-match": "*",
            "user-agent": "test", "referer": "http://test",
        ]
        let location = "<LocationConstraint>eu-west-1</LocationConstraint>"
        let configuration = "<CreateBucketConfiguration>\(location)</CreateBucketConfiguration>"
        let (head, _) = try client.signed("GET", "/bucket/key")
        return [
            try await client.put("/bucket/new", "x", write),
            try await client.put("/bucket/new", "x", ["if-match": "\"1\""]),
            try await client.put(
                "/new", Content(Array(configuration.utf8)), ["x-amz-object-ownership": "BucketOwnerEnforced"]),
            try await client.copy("bucket/key", to: "/bucket/new", ["x-amz-metadata-directive": "COPY"]),
            try await client.get("/bucket?list-type=2&prefix=a&delimiter=b&max-keys=3"),
            try await client.get("/bucket/key?versionId=null"), try await client.presigned("GET", "/bucket/key"),
            await client.harness.handle(head, .empty, isSecure: true, tlsVersion: "1.3"),
        ]
    }

    @Test("Requests have every condition key that policies may name, and no other")
    func offered() async throws {
        let keys = ConditionKeys.offered + ConditionKeys.offeredOfTags.map { $0 + "Team" }
        let users = keys.enumerated().map { index, key in
            User(
                name: "user\(index)",
                policies: [
                    User.allow("s3:*", on: "*"),
                    #"{"Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*","#
                        + #""Condition":{"Null":{"\#(key)":"false"}}}}"#,
                ])
        }
        let harness = try await GatewayHarness.withBucket(users: users + [.administrator("alice")])
        try await harness.root.put("/bucket/key", "x", ["x-amz-tagging": "team=a"])
        for (index, key) in keys.enumerated() {
            let answers = try await Self.requests(harness.client("user\(index)"))
            #expect(answers.contains { $0.outcome == "403 AccessDenied" }, "\(key)")
        }
        for answer in try await Self.requests(harness.client("alice")) { #expect(answer.status != 403) }
    }

    @Test("Tags that differ in case alone cannot hide what a denial names, nor show what an allowance does")
    func tags() async throws {
        func tag(_ value: String) -> String { #"{"StringEquals":{"s3:ExistingObjectTag/class":"\#(value)"}}"# }
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/one", "x", ["x-amz-tagging": "class=public"])
        for (key, tags) in [("a", "class=secret&Class=public"), ("b", "Class=secret&class=public")] {
            try await harness.root.put("/bucket/\(key)", "x", ["x-amz-tagging": tags])
        }
        let allow = Documents.policy(Documents.statement("Allow", "s3:GetObject", on: "bucket/*", when: tag("public")))
        #expect(try await harness.root.put("/bucket?policy", allow).status == 204)
        #expect(try await harness.anonymous.get("/bucket/one").status == 200)
        let deny = Documents.policy(
            Documents.statement("Allow", "s3:GetObject", on: "bucket/*"),
            Documents.statement("Deny", "s3:GetObject", on: "bucket/*", when: tag("secret")))
        for policy in [allow, deny] {
            #expect(try await harness.root.put("/bucket?policy", policy).status == 204)
            for key in ["a", "b"] {
                #expect(try await harness.anonymous.get("/bucket/\(key)").outcome == "403 AccessDenied", "\(key)")
            }
        }
        #expect(try await harness.anonymous.get("/bucket/one").status == 200)
    }
}
