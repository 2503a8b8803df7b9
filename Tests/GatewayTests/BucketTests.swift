import Metadata
import Primitives
import Simulation
import Testing

/// Buckets and their settings.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
@Suite("Buckets")
struct BucketTests {
    private static let bob = GatewayHarness.User.administrator("bob", account: GatewayHarness.otherAccount)

    @Test("A bucket is created, found, and deleted once it is empty")
    func life() async throws {
        let harness = try await GatewayHarness()
        let created = try await harness.root.put("/bucket")
        #expect(created.status == 200)
        #expect(created["location"] == "/bucket")
        #expect(try await harness.root.head("/bucket")["x-amz-bucket-region"] == "us-east-1")
        #expect(try await harness.root.get("/bucket?location").root == "LocationConstraint")
        try await harness.root.put("/bucket/key", "x")
        #expect(try await harness.root.delete("/bucket").outcome == "409 BucketNotEmpty")
        try await harness.root.delete("/bucket/key")
        #expect(try await harness.root.delete("/bucket").status == 204)
        #expect(try await harness.root.delete("/bucket").outcome == "404 NoSuchBucket")
        #expect(try await harness.root.head("/bucket").status == 404)
        #expect(try await harness.contents().filter { $0.key.first == 0x01 }.isEmpty)
    }

    @Test("A bucket made anew has nothing of the one before it")
    func recreated() async throws {
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled", users: [.administrator("alice")])
        try await harness.root.put("/bucket?tagging", Documents.tagging([("a", "1")]))
        let policy = Documents.policy(Documents.statement("Deny", "s3:*", on: "bucket/*"))
        #expect(try await harness.root.put("/bucket?policy", policy).status == 204)
        #expect(try await harness.root.delete("/bucket").status == 204)
        try await harness.root.put("/bucket")
        #expect(try await harness.root.get("/bucket?policy").outcome == "404 NoSuchBucketPolicy")
        #expect(try await harness.root.get("/bucket?tagging").outcome == "404 NoSuchTagSet")
        #expect(try await harness.root.get("/bucket?versioning").texts("Status").isEmpty)
        #expect(try await harness.client("alice").put("/bucket/key", "x").status == 200)
    }

    @Test("The same bucket again: the owner's own in us-east-1 is no error, elsewhere and another's are")
    func again() async throws {
        let harness = try await GatewayHarness.withBucket(users: [Self.bob])
        try await harness.root.put("/bucket/key", "x")
        #expect(try await harness.root.put("/bucket").status == 200)
        #expect(try await harness.root.get("/bucket/key").text == "x")
        let bob = try await harness.client("bob").put("/bucket")
        #expect(bob.outcome == "409 BucketAlreadyExists")
        #expect(bob.text("BucketName") == "bucket")
    }

    @Test("16 who create one bucket at once: one account has it")
    func creators() async throws {
        let users = (0..<8).map { GatewayHarness.User.administrator("user\($0)", account: "00000000000\($0)") }
        let harness = try await GatewayHarness(users: users)
        let answers = try await withThrowingTaskGroup(of: Int.self) { group in
            for user in users {
                group.addTask { try await harness.client(user.name).put("/bucket").status }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.sorted() == [200] + [Int](repeating: 409, count: 7))
    }

    @Test(
        "Names keep S3's rules",
        arguments: [
            "ab", "Upper", "under_score", "-start", "end-", "two..dots", "192.168.0.1", "xn--a", "a.b-", "sthree-x",
            "x--ol-s3", "x-s3alias", "a%20b", "%C3%BC-x", String(repeating: "a", count: 64), "%00aa",
        ])
    func names(_ name: String) async throws {
        let harness = try await GatewayHarness()
        let refused = try await harness.root.put("/\(name)")
        #expect(refused.status == 400, "\(refused)")
        #expect(try await harness.contents().isEmpty)
    }

    @Test("ListBuckets shows what is the caller's own, in order, page by page (NooBaa 0e5ffbdac)")
    func list() async throws {
        let harness = try await GatewayHarness(users: [.administrator("alice"), Self.bob])
        let mine = ["aaa", "bbb", "bbb-2", "ccc"]
        for name in mine.reversed() { try await harness.client("alice").put("/\(name)") }
        for name in ["bob-1", "aaa-bob"] { try await harness.client("bob").put("/\(name)") }
        let all = try await harness.root.get("/")
        #expect(all.root == "ListAllMyBucketsResult")
        #expect(all.texts("Buckets/Bucket/Name") == mine, "users of one account share its buckets")
        #expect(all.texts("Buckets/Bucket/BucketRegion") == mine.map { _ in "us-east-1" })
        #expect(all.text("Owner/ID")?.utf8.count == 64)
        #expect(try await harness.client("bob").get("/").texts("Buckets/Bucket/Name") == ["aaa-bob", "bob-1"])
        var (found, token): ([String], String?) = ([], "")
        while let from = token {
            let page = try await harness.root.get(
                "/?max-buckets=1" + (from.isEmpty ? "" : "&continuation-token=\(from)"))
            found += page.texts("Buckets/Bucket/Name")
            token = page.text("ContinuationToken")
            #expect(found.count <= 4)
            if found.count > 4 { break }
        }
        #expect(found == mine)
        let prefixed = try await harness.root.get("/?prefix=bbb")
        #expect(prefixed.texts("Buckets/Bucket/Name") == ["bbb", "bbb-2"])
        #expect(prefixed.text("Prefix") == "bbb")
        #expect(try await harness.root.get("/?bucket-region=eu-west-1").texts("Buckets/Bucket/Name").isEmpty)
        #expect(try await harness.root.get("/?bucket-region=us-east-1").texts("Buckets/Bucket/Name") == mine)
        for query in ["max-buckets=0", "max-buckets=x", "continuation-token=%2A"] {
            #expect(try await harness.root.get("/?\(query)").outcome == "400 InvalidArgument")
        }
        #expect(try await harness.anonymous.get("/").outcome == "403 AccessDenied")
    }

    @Test("What was never set is removed without an error, by whom may remove it")
    func removals() async throws {
        let reader = GatewayHarness.User(
            name: "reader", policies: [GatewayHarness.User.allow("s3:Get*", "s3:DeleteBucket", on: "*")])
        let harness = try await GatewayHarness.withBucket(users: [reader])
        let before = try await harness.contents()
        for setting in ["cors", "encryption", "lifecycle", "replication", "website"] {
            #expect(try await harness.root.send("DELETE", "/bucket?\(setting)").status == 204)
            let refused = try await harness.client("reader").send("DELETE", "/bucket?\(setting)")
            #expect(refused.outcome == "403 AccessDenied", "\(setting)")
            #expect(try await harness.root.send("DELETE", "/nowhere?\(setting)").outcome == "404 NoSuchBucket")
        }
        #expect(try await harness.root.send("DELETE", "/bucket?ownershipControls").outcome == "501 NotImplemented")
        #expect(try await harness.contents() == before)
    }

    @Test("Legal holds and retention are refused as in a bucket without Object Lock")
    func objectLock() async throws {
        let harness = try await GatewayHarness.withBucket(users: [Self.bob])
        try await harness.root.put("/bucket/key", "x")
        for query in ["legal-hold", "retention"] {
            for method in ["GET", "PUT"] {
                let answer = try await harness.root.send(method, "/bucket/key?\(query)", [:], "<x/>")
                #expect(answer.outcome == "400 InvalidRequest")
                #expect(answer.text("Message") == "Bucket is missing Object Lock Configuration")
                let other = try await harness.client("bob").send(method, "/bucket/key?\(query)", [:], "<x/>")
                #expect(other.outcome == "403 AccessDenied")
            }
        }
        #expect(try await harness.root.put("/bucket?object-lock", "<x/>").outcome == "409 InvalidBucketState")
        #expect(try await harness.root.setVersioning("bucket", "Enabled").status == 200)
        #expect(try await harness.root.put("/bucket?object-lock", "<x/>").outcome == "501 NotImplemented")
    }

    @Test("A bucket in another region cannot be asked for")
    func location() async throws {
        let harness = try await GatewayHarness()
        func configuration(_ inner: String) -> Content {
            Content(Array("<CreateBucketConfiguration>\(inner)</CreateBucketConfiguration>".utf8))
        }
        let elsewhere = configuration("<LocationConstraint>eu-west-1</LocationConstraint>")
        #expect(try await harness.root.put("/bucket", elsewhere).outcome == "400 IllegalLocationConstraintException")
        for inner in ["<Bucket><Type>Directory</Type></Bucket>", "<Tags><Tag/></Tags>"] {
            #expect(try await harness.root.put("/bucket", configuration(inner)).outcome == "501 NotImplemented")
        }
        #expect(try await harness.root.put("/bucket", "<Other/>").outcome == "400 MalformedXML")
        let lock: HeaderFields = ["x-amz-bucket-object-lock-enabled": "true"]
        #expect(try await harness.root.put("/bucket", "", lock).outcome == "501 NotImplemented")
        #expect(try await harness.contents().isEmpty)
        let here = configuration("<LocationConstraint>us-east-1</LocationConstraint>")
        #expect(try await harness.root.put("/bucket", here).status == 200)
    }

    @Test("The one access control list that everything has is shown, accepted, and no other")
    func accessControl() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "x")
        for target in ["/bucket?acl", "/bucket/key?acl"] {
            let shown = try await harness.root.get(target)
            #expect(shown.root == "AccessControlPolicy")
            #expect(shown.texts("AccessControlList/Grant/Permission") == ["FULL_CONTROL"])
            #expect(shown.text("AccessControlList/Grant/Grantee/ID") == shown.text("Owner/ID"))
            #expect(try await harness.root.put(target, Content(shown.body)).status == 200)
            #expect(try await harness.root.put(target, "", ["x-amz-acl": "private"]).status == 200)
            for acl in ["public-read", "public-read-write", "authenticated-read", "aws-exec-read"] {
                let refused = try await harness.root.put(target, "", ["x-amz-acl": acl])
                #expect(refused.outcome == "400 AccessControlListNotSupported")
            }
            #expect(try await harness.root.put(target, "", ["x-amz-acl": "all"]).outcome == "400 InvalidArgument")
            #expect(try await harness.root.put(target).outcome == "400 MalformedACLError")
            #expect(try await harness.root.put(target, "<x/>").outcome == "400 MalformedACLError")
            let wider = shown.text.replacingGrants()
            #expect(
                try await harness.root.put(target, Content(Array(wider.utf8))).outcome
                    == "400 AccessControlListNotSupported")
            let grant = try await harness.root.put(target, "", ["x-amz-grant-read": "id=1"])
            #expect(grant.outcome == "400 AccessControlListNotSupported")
        }
        #expect(try await harness.root.get("/bucket/none?acl").outcome == "404 NoSuchKey")
        #expect(try await harness.root.put("/bucket/none?acl", "", ["x-amz-acl": "private"]).outcome == "404 NoSuchKey")
    }

    @Test("Settings that no bucket has are answered as AWS answers for a bucket that never had them")
    func unsetSettings() async throws {
        let harness = try await GatewayHarness.withBucket()
        let missing = [
            "cors": "NoSuchCORSConfiguration", "encryption": "ServerSideEncryptionConfigurationNotFoundError",
            "lifecycle": "NoSuchLifecycleConfiguration", "object-lock": "ObjectLockConfigurationNotFoundError",
            "publicAccessBlock": "NoSuchPublicAccessBlockConfiguration",
            "replication": "ReplicationConfigurationNotFoundError", "website": "NoSuchWebsiteConfiguration",
            "policy": "NoSuchBucketPolicy", "policyStatus": "NoSuchBucketPolicy", "tagging": "NoSuchTagSet",
        ]
        for (query, code) in missing {
            #expect(try await harness.root.get("/bucket?\(query)").outcome == "404 \(code)")
            #expect(try await harness.root.get("/other?\(query)").outcome == "404 NoSuchBucket")
        }
        let empty = [
            "accelerate": "AccelerateConfiguration", "logging": "BucketLoggingStatus",
            "notification": "NotificationConfiguration", "requestPayment": "RequestPaymentConfiguration",
            "ownershipControls": "OwnershipControls", "versioning": "VersioningConfiguration",
        ]
        for (query, root) in empty {
            let got = try await harness.root.get("/bucket?\(query)")
            #expect(got.status == 200)
            #expect(got.root == root)
        }
    }

    @Test("A bucket is also the first label of the host, where the domain is ours")
    func virtualHosts() async throws {
        let harness = try await GatewayHarness(domains: ["s3.test"])
        var client = harness.root
        client.host = "bucket.s3.test:9000"
        #expect(try await client.put("/").status == 200)
        #expect(try await client.put("/dir/key", "x").status == 200)
        #expect(try await client.get("/dir/key").text == "x")
        #expect(try await client.get("/?list-type=2").texts("Contents/Key") == ["dir/key"])
        client.host = "S3.test"
        #expect(try await client.get("/bucket/dir/key").text == "x")
        client.host = "bucket.elsewhere.test"
        #expect(try await client.get("/bucket/dir/key").text == "x", "another domain's label is no bucket")
    }
}

extension String {
    /// An access control list with its only grant given to everybody as well.
    fileprivate func replacingGrants() -> String {
        let grant =
            "<Grant><Grantee><URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee>"
            + "<Permission>READ</Permission></Grant>"
        guard let end = range(ofText: "</AccessControlList>") else { return self }
        return String(self[..<end]) + grant + String(self[end...])
    }

    private func range(ofText text: String) -> Index? {
        indices.first { self[$0...].hasPrefix(text) }
    }
}
