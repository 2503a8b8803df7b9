import Gateway
import Metadata
import Primitives
import Testing
import TidegateTesting

/// Buckets that keep the public out, whatever their policies say.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>
@Suite("Public access block")
struct PublicAccessBlockTests {
    private typealias User = GatewayHarness.User

    private static let names = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"]

    /// Sets one of the four and no other.
    private func block(_ name: String, by client: S3Client) async throws {
        let set = try await client.put("/bucket?publicAccessBlock", Documents.publicAccessBlock([(name, "true")]))
        #expect(set.status == 200 && set.body.isEmpty)
    }

    private let everybody = Documents.statement("Allow", "s3:GetObject", on: "bucket/*")

    @Test("What is set is read, replaced as a whole, recorded and deleted")
    func settings() async throws {
        let harness = try await GatewayHarness.withBucket()
        for name in Self.names {
            try await block(name, by: harness.root)
            let got = try await harness.root.get("/bucket?publicAccessBlock")
            #expect(got.root == "PublicAccessBlockConfiguration")
            for other in Self.names { #expect(got.text(other) == (other == name ? "true" : "false"), "\(other)") }
        }
        let some = Documents.publicAccessBlock([("IgnorePublicAcls", "FALSE"), ("BlockPublicAcls", " true ")])
        #expect(try await harness.root.put("/bucket?publicAccessBlock", some).status == 200)
        #expect(try await harness.root.get("/bucket?publicAccessBlock").text("BlockPublicAcls") == "true")
        let records = try await harness.records().filter { $0.name == "PutPublicAccessBlock" }
        #expect(records.count == 5)
        let noted = records.last?.json["requestParameters"]?["PublicAccessBlockConfiguration"]?.stringValue
        #expect(noted == "BlockPublicAcls")
        for _ in 0..<2 { #expect(try await harness.root.delete("/bucket?publicAccessBlock").status == 204) }
        let gone = try await harness.root.get("/bucket?publicAccessBlock")
        #expect(gone.outcome == "404 NoSuchPublicAccessBlockConfiguration")
        #expect(harness.observations.all.filter { $0.operation == "DeletePublicAccessBlock" }.count == 2)
        for method in ["GET", "PUT", "DELETE"] {
            let answer = try await harness.root.send(method, "/none?publicAccessBlock", [:], some)
            #expect(answer.outcome == "404 NoSuchBucket", "\(method)")
        }
    }

    @Test("A document that is not understood is refused, and a restriction in it never passed over")
    func malformed() async throws {
        let harness = try await GatewayHarness.withBucket()
        let settings = [
            [("BlockPublicAcls", "yes")], [("BlockPublicAcls", "")], [("BlockPublicAcl", "true")],
            [("blockpublicacls", "true")], [("BlockPublicAcls", "true"), ("Other", "true")],
            [("BlockPublicAcls", "true"), ("BlockPublicAcls", "false")],
        ]
        let refused: [Content] = ["", "x", "<x/>"] + settings.map(Documents.publicAccessBlock)
        for content in refused {
            let answer = try await harness.root.put("/bucket?publicAccessBlock", content)
            #expect(answer.outcome == "400 MalformedXML", "\(content)")
        }
        let empty = try await harness.root.put("/bucket?publicAccessBlock", Documents.publicAccessBlock([]))
        #expect(empty.outcome == "400 InvalidRequest")
        #expect(try await harness.root.get("/bucket?publicAccessBlock").status == 404)
    }

    @Test("Reading and setting take an action each, and deleting takes the one of setting")
    func permissions() async throws {
        let reader = User(name: "reader", policies: [User.allow("s3:GetBucketPublicAccessBlock", on: "bucket")])
        let setter = User(name: "setter", policies: [User.allow("s3:PutBucketPublicAccessBlock", on: "bucket")])
        let harness = try await GatewayHarness.withBucket(users: [reader, setter])
        let content = Documents.publicAccessBlock([("BlockPublicAcls", "true")])
        #expect(try await harness.client("reader").put("/bucket?publicAccessBlock", content).status == 403)
        #expect(try await harness.client("setter").put("/bucket?publicAccessBlock", content).status == 200)
        #expect(try await harness.client("setter").get("/bucket?publicAccessBlock").status == 403)
        #expect(try await harness.client("reader").get("/bucket?publicAccessBlock").status == 200)
        #expect(try await harness.client("reader").delete("/bucket?publicAccessBlock").status == 403)
        #expect(try await harness.anonymous.delete("/bucket?publicAccessBlock").status == 403)
        #expect(try await harness.client("setter").delete("/bucket?publicAccessBlock").status == 204)
    }

    @Test("BlockPublicPolicy refuses public policies, lets others be set, and leaves alone what is there")
    func blockPublicPolicy() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "x")
        #expect(try await harness.root.put("/bucket?policy", Documents.policy(everybody)).status == 204)
        try await block("BlockPublicPolicy", by: harness.root)
        #expect(try await harness.anonymous.get("/bucket/key").text == "x")
        #expect(try await harness.root.put("/bucket?policy", Documents.policy(everybody)).outcome == "403 AccessDenied")
        let near = Documents.statement(
            "Allow", "s3:GetObject", on: "bucket/*", when: #"{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}"#)
        #expect(try await harness.root.put("/bucket?policy", Documents.policy(near)).status == 204)
        #expect(try await harness.root.get("/bucket?policyStatus").text("IsPublic") == "FALSE")
        #expect(try await harness.anonymous.get("/bucket/key").text == "x")
        let none = try await harness.root.put("/bucket?policy", "nonsense")
        #expect(none.outcome == "400 MalformedPolicy")
        try await block("BlockPublicAcls", by: harness.root)
        #expect(try await harness.root.put("/bucket?policy", Documents.policy(everybody)).status == 204)
    }

    @Test("A policy and a block that are put at the same time never both stand")
    func race() async throws {
        let harness = try await GatewayHarness.withBucket()
        let block = Documents.publicAccessBlock([("BlockPublicPolicy", "true")])
        // The block is committed once the policy's request has looked, and before it commits.
        harness.index.beforeCommit(of: Keys.configuration(try await harness.bucketID(), .policy)) {
            do {
                let set = try await harness.root.put("/bucket?publicAccessBlock", block)
                #expect(set.status == 200)
            } catch {
                Issue.record(error)
            }
        }
        let put = try await harness.root.put("/bucket?policy", Documents.policy(everybody))
        #expect(put.outcome == "403 AccessDenied")
        #expect(try await harness.root.get("/bucket?policy").status == 404)
        #expect(try await harness.root.get("/bucket?publicAccessBlock").text("BlockPublicPolicy") == "true")
    }

    @Test("RestrictPublicBuckets lets nobody from outside the account in while the policy is public")
    func restrictPublicBuckets() async throws {
        let bob = User.administrator("bob", account: GatewayHarness.otherAccount)
        let carol = User(name: "carol", policies: [User.allow("s3:GetObject", on: "bucket/*")])
        let harness = try await GatewayHarness.withBucket(users: [bob, carol])
        try await harness.root.put("/bucket/key", "x")
        let other = #"{"AWS":"arn:aws:iam::\#(GatewayHarness.otherAccount):root"}"#
        let delegated = Documents.statement("Allow", "s3:*", on: "bucket/*", for: other)
        let listing = Documents.statement("Allow", "s3:ListBucket*", on: "bucket")
        try await harness.root.put("/bucket?policy", Documents.policy(everybody, delegated, listing))
        let listings = ["/bucket", "/bucket?list-type=2", "/bucket?versions", "/bucket?uploads"]
        for client in [harness.anonymous, harness.client("bob")] {
            #expect(try await client.get("/bucket/key").text == "x")
            for target in listings { #expect(try await client.get(target).status == 200, "\(target)") }
        }
        try await block("RestrictPublicBuckets", by: harness.root)
        // What is delegated to one account goes with what is given to everybody.
        for client in [harness.anonymous, harness.client("bob")] {
            #expect(try await client.get("/bucket/key").outcome == "403 AccessDenied")
            #expect(try await client.head("/bucket/none").status == 403)
            // GHSA-x298: also by way of the versions.
            for target in listings { #expect(try await client.get(target).outcome == "403 AccessDenied", "\(target)") }
            #expect(try await client.put("/bucket/key", "y").outcome == "403 AccessDenied")
            let deleted = try await client.deleteAll("bucket", ["key"])
            #expect(deleted.texts("Error/Code") == ["AccessDenied"] || deleted.status == 403)
        }
        #expect(try await harness.client("bob").put("/bobs").status == 200)
        #expect(try await harness.client("bob").copy("bucket/key", to: "/bobs/key").outcome == "403 AccessDenied")
        for client in [harness.root, harness.client("carol")] {
            #expect(try await client.get("/bucket/key").text == "x")
        }
        #expect(try await harness.root.get("/bucket?policyStatus").text("IsPublic") == "TRUE")
        let record = try await harness.records().first { $0.name == "GetObject" && $0.error == "AccessDenied" }
        let decided = record?.json["additionalEventData"]?["statements"]?.arrayValue?.compactMap(\.stringValue)
        #expect(decided == ["RestrictPublicBuckets"])
        // A policy that is not public is not touched by it.
        try await harness.root.put("/bucket?policy", Documents.policy(delegated))
        #expect(try await harness.client("bob").get("/bucket/key").text == "x")
        #expect(try await harness.anonymous.get("/bucket/key").status == 403)
        try await harness.root.put("/bucket?policy", Documents.policy(everybody))
        #expect(try await harness.anonymous.get("/bucket/key").status == 403)
        #expect(try await harness.root.delete("/bucket?publicAccessBlock").status == 204)
        #expect(try await harness.anonymous.get("/bucket/key").text == "x")
    }

    @Test("BlockPublicAcls denies public access control lists, which are otherwise not supported")
    func blockPublicAcls() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "x")
        let group = "http://acs.amazonaws.com/groups/global/"
        let open: [HeaderFields] = [
            ["x-amz-acl": "public-read"], ["x-amz-acl": "public-read-write"], ["x-amz-acl": "authenticated-read"],
            ["x-amz-grant-read": "id=\"a\", uri=\"\(group)AllUsers\""],
            ["x-amz-grant-write-acp": "uri=\(group)AuthenticatedUsers"],
        ]
        let closed: [HeaderFields] = [
            ["x-amz-acl": "aws-exec-read"], ["x-amz-grant-read": "id=\"a\""],
            ["x-amz-grant-write": "uri=\"http://acs.amazonaws.com/groups/s3/LogDelivery\""],
        ]
        func grants(_ uri: String) -> Content {
            let grant = "<Grant><Grantee><URI>\(uri)</URI></Grantee><Permission>READ</Permission></Grant>"
            let text =
                "<AccessControlPolicy><Owner><ID>a</ID></Owner><AccessControlList>\(grant)</AccessControlList>"
                + "</AccessControlPolicy>"
            return Content(Array(text.utf8))
        }
        let upload = try await harness.root.startUpload("/bucket/key")
        let part = "/bucket/key?partNumber=1&uploadId=\(upload)"
        func outcomes(_ headers: HeaderFields) async throws -> Set<String?> {
            var outcomes: Set<String?> = []
            for target in ["/bucket?acl", "/bucket/key?acl", "/bucket/new", part] {
                outcomes.insert(try await harness.root.put(target, "", headers).outcome)
            }
            outcomes.insert(try await harness.root.post("/bucket/key?uploads", "", headers).outcome)
            outcomes.insert(try await harness.root.copy("bucket/key", to: "/bucket/new", headers).outcome)
            return outcomes
        }
        for headers in open + closed {
            #expect(try await outcomes(headers) == ["400 AccessControlListNotSupported"], "\(headers)")
        }
        try await block("BlockPublicAcls", by: harness.root)
        for headers in open { #expect(try await outcomes(headers) == ["403 AccessDenied"], "\(headers)") }
        for headers in closed {
            #expect(try await outcomes(headers) == ["400 AccessControlListNotSupported"], "\(headers)")
        }
        for target in ["/bucket?acl", "/bucket/key?acl"] {
            for name in ["AllUsers", "AuthenticatedUsers"] {
                #expect(try await harness.root.put(target, grants(group + name)).outcome == "403 AccessDenied")
            }
            let other = try await harness.root.put(target, grants("http://acs.amazonaws.com/groups/s3/LogDelivery"))
            #expect(other.outcome == "400 AccessControlListNotSupported")
            #expect(try await harness.root.put(target, "", ["x-amz-acl": "private"]).status == 200)
        }
        let form = PostedForm("posted", "x", [("acl", "public-read")])
        #expect(await harness.root.post(form).outcome == "403 AccessDenied")
        #expect(await harness.root.post(PostedForm("posted", "x", [("acl", "private")])).status == 204)
        // A bucket that is there already is asked for nothing when somebody wants to create it.
        let create = try await harness.root.put("/bucket", "", ["x-amz-acl": "public-read"])
        #expect(create.outcome == "400 AccessControlListNotSupported")
        #expect(try await harness.root.head("/bucket/new").status == 404)
    }

    @Test("GHSA-j548: a bucket whose policy or block cannot be read is not served as if it had none")
    func damaged() async throws {
        for kind in [BucketConfigurationKind.policy, .publicAccessBlock] {
            let harness = try await GatewayHarness.withBucket()
            try await harness.root.put("/bucket/key", "x")
            let key = Keys.configuration(try await harness.bucketID(), kind)
            // A fifth restriction, of a later release, and what is no record at all.
            for damage: [UInt8] in [[5 << 1, 1], [1 << 1, 2], [0xFF]] {
                let id = TransactionID(epoch: .max, counter: harness.environment.random() >> 1)
                _ = try await harness.index.memory.commit(Transaction(id: id, mutations: [.put(key, damage)]))
                harness.gateway.buckets.forget("bucket")
                #expect(try await harness.root.get("/bucket/key").outcome == "500 InternalError")
                #expect(try await harness.anonymous.get("/bucket/key").status == 500)
            }
        }
    }

    @Test("A bucket that is made again has no block of its predecessor's")
    func madeAgain() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await block("RestrictPublicBuckets", by: harness.root)
        #expect(try await harness.root.delete("/bucket").status == 204)
        #expect(try await harness.contents().isEmpty)
        #expect(try await harness.root.put("/bucket").status == 200)
        #expect(try await harness.root.get("/bucket?publicAccessBlock").status == 404)
    }
}
