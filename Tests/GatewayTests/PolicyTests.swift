import Primitives
import Testing

/// Who may do what: users' policies, buckets' policies, strangers and other accounts.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>
@Suite("Authorisation")
struct PolicyTests {
    private typealias User = GatewayHarness.User

    @Test("A bucket's policy is stored as it came, held against the language, and deleted")
    func bucketPolicy() async throws {
        let harness = try await GatewayHarness.withBucket()
        let policy = Documents.policy(Documents.statement("Allow", "s3:GetObject", on: "bucket/*"))
        #expect(try await harness.root.put("/bucket?policy", policy).status == 204)
        let got = try await harness.root.get("/bucket?policy")
        #expect(got.body == policy.bytes)
        #expect(got["content-type"] == "application/json")
        #expect(try await harness.root.get("/bucket?policyStatus").text("IsPublic") == "TRUE")
        let others = Documents.policy(Documents.statement("Allow", "s3:GetObject", on: "other/*"))
        for refused: Content in ["{}", "x", "[]", others, Content([UInt8](repeating: 0x20, count: 20_481))] {
            let answer = try await harness.root.put("/bucket?policy", refused)
            #expect(answer.status == 400, "\(answer)")
        }
        #expect(try await harness.root.put("/bucket?policy").outcome == "400 MissingRequestBodyError")
        #expect(try await harness.root.get("/bucket?policy").body == policy.bytes)
        for _ in 0..<2 { #expect(try await harness.root.delete("/bucket?policy").status == 204) }
        #expect(try await harness.root.get("/bucket?policy").outcome == "404 NoSuchBucketPolicy")
    }

    @Test("Strangers may do what the bucket's policy lets everybody do, and nothing else")
    func anonymous() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/public/key", "x")
        try await harness.root.put("/bucket/private/key", "x")
        #expect(try await harness.anonymous.get("/bucket/public/key").outcome == "403 AccessDenied")
        try await harness.root.put(
            "/bucket?policy", Documents.policy(Documents.statement("Allow", "s3:GetObject", on: "bucket/public/*")))
        #expect(try await harness.anonymous.get("/bucket/public/key").text == "x")
        #expect(try await harness.anonymous.head("/bucket/public/key").status == 200)
        for target in ["/bucket/private/key", "/bucket", "/bucket/public/key?tagging", "/bucket/public/key?acl", "/"] {
            #expect(try await harness.anonymous.get(target).outcome == "403 AccessDenied", "\(target)")
        }
        for method in ["PUT", "DELETE"] {
            #expect(try await harness.anonymous.send(method, "/bucket/public/key").outcome == "403 AccessDenied")
        }
        // What is not there is not told to who may not list.
        #expect(try await harness.anonymous.get("/bucket/public/none").outcome == "403 AccessDenied")
        let listing = Documents.statement("Allow", "s3:ListBucket", on: "bucket")
        let reading = Documents.statement("Allow", "s3:GetObject", on: "bucket/public/*")
        try await harness.root.put("/bucket?policy", Documents.policy(listing, reading))
        #expect(try await harness.anonymous.get("/bucket/public/none").outcome == "404 NoSuchKey")
        #expect(try await harness.anonymous.get("/bucket").texts("Contents/Key").count == 2)
    }

    @Test("A denial wins over every allowance, the owner's too (versitygw ed1ad6b6)")
    func denials() async throws {
        let harness = try await GatewayHarness.withBucket(users: [.administrator("alice")])
        try await harness.root.put("/bucket/key", "x")
        let allow = Documents.statement("Allow", "s3:*", on: "bucket/*")
        let deny = Documents.statement("Deny", "s3:GetObject", on: "bucket/key")
        try await harness.root.put("/bucket?policy", Documents.policy(allow, deny))
        for client in [harness.client("alice"), harness.anonymous, harness.root] {
            #expect(try await client.get("/bucket/key").outcome == "403 AccessDenied")
            #expect(try await client.put("/bucket/other", "x").status == 200)
        }
        let everything = Documents.policy(Documents.statement("Deny", "s3:*", on: "bucket"))
        try await harness.root.put("/bucket?policy", everything)
        #expect(try await harness.root.get("/bucket").outcome == "403 AccessDenied")
        #expect(try await harness.client("alice").delete("/bucket?policy").outcome == "403 AccessDenied")
        #expect(try await harness.root.delete("/bucket?policy").status == 204, "the owner is never locked out")
    }

    @Test("A user without policies may do nothing (SeaweedFS 66d9b89cd)")
    func nobody() async throws {
        let harness = try await GatewayHarness.withBucket(users: [User(name: "nobody")])
        let write = try await WriteCall.all(harness)
        for call in write {
            let refused = try await call.send(by: harness.client("nobody"))
            // Keys are authorised one by one, and refused one by one.
            if call.name == "DeleteObjects" {
                #expect(refused.texts("Error/Code") == ["AccessDenied", "AccessDenied"])
            } else {
                #expect(refused.outcome == "403 AccessDenied", "\(call.name)")
            }
        }
        for target in ["/", "/bucket", "/bucket/key", "/bucket?policy", "/bucket?versions", "/bucket?uploads"] {
            #expect(try await harness.client("nobody").get(target).outcome == "403 AccessDenied", "\(target)")
        }
    }

    @Test("Across accounts the user's own policy and the bucket's must both allow")
    func accounts() async throws {
        let bob = User.administrator("bob", account: GatewayHarness.otherAccount)
        let carol = User(name: "carol", account: GatewayHarness.otherAccount)
        let harness = try await GatewayHarness.withBucket(users: [bob, carol])
        try await harness.root.put("/bucket/key", "x")
        #expect(try await harness.client("bob").get("/bucket/key").outcome == "403 AccessDenied")
        let account = #"{"AWS":"arn:aws:iam::\#(GatewayHarness.otherAccount):root"}"#
        try await harness.root.put(
            "/bucket?policy",
            Documents.policy(Documents.statement("Allow", "s3:GetObject", on: "bucket/*", for: account)))
        #expect(try await harness.client("bob").get("/bucket/key").text == "x")
        #expect(try await harness.client("carol").get("/bucket/key").outcome == "403 AccessDenied")
        #expect(try await harness.client("bob").put("/bucket/key", "y").outcome == "403 AccessDenied")
        // Whoever may not list another's bucket is not told what is there.
        #expect(try await harness.client("bob").get("/bucket/none").outcome == "403 AccessDenied")
        #expect(try await harness.client("bob").delete("/bucket").outcome == "403 AccessDenied")
    }

    @Test("DeleteObjects is authorised key by key (SeaweedFS 8e4022d5c)")
    func deleteObjects() async throws {
        let alice = User(name: "alice", policies: [User.allow("s3:DeleteObject", on: "bucket/mine/*")])
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled", users: [alice])
        let theirs = try await harness.root.put("/bucket/theirs/a", "x").versionID
        let mine = try await harness.root.put("/bucket/mine/a", "x").versionID
        let deleted = try await harness.client("alice").deleteAll(
            "bucket",
            [
                "theirs/a", "mine/a", DeleteItem("theirs/a", version: theirs), DeleteItem("mine/a", version: mine),
                "mine/../theirs/a", "theirs/none",
            ])
        #expect(deleted.status == 200)
        #expect(deleted.texts("Deleted/Key") == ["mine/a", "mine/../theirs/a"])
        #expect(deleted.texts("Error/Key") == ["theirs/a", "theirs/a", "mine/a", "theirs/none"])
        #expect(Set(deleted.texts("Error/Code")) == ["AccessDenied"])
        #expect(try await harness.root.get("/bucket/theirs/a").text == "x")
        #expect(try await harness.root.get("/bucket/mine/a?versionId=\(mine ?? "")").text == "x")
    }

    @Test("A version is read, tagged and deleted only with the permission for versions (GHSA-3ppv)")
    func versionPermissions() async throws {
        let plain = User(
            name: "plain",
            policies: [
                User.allow(
                    "s3:GetObject", "s3:DeleteObject", "s3:GetObjectTagging", "s3:PutObjectTagging", "s3:GetObjectAcl",
                    "s3:GetObjectAttributes", "s3:PutObject", "s3:DeleteObjectTagging", on: "bucket/*")
            ])
        let versions = User(
            name: "versions",
            policies: [
                User.allow(
                    "s3:GetObjectVersion", "s3:DeleteObjectVersion", "s3:GetObjectVersionTagging",
                    "s3:PutObjectVersionTagging", "s3:GetObjectVersionAcl", "s3:GetObjectVersionAttributes",
                    "s3:DeleteObjectVersionTagging", "s3:PutObject", on: "bucket/*")
            ])
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled", users: [plain, versions])
        let id = try await harness.root.put("/bucket/key", "x").versionID ?? ""
        let attributes: HeaderFields = ["x-amz-object-attributes": "ETag"]
        let calls: [(String, String, HeaderFields, Content, Int)] = [
            ("GET", "", [:], "", 200), ("HEAD", "", [:], "", 200), ("GET", "tagging", [:], "", 200),
            ("PUT", "tagging", [:], Documents.tagging([("a", "1")]), 200), ("DELETE", "tagging", [:], "", 204),
            ("GET", "acl", [:], "", 200), ("GET", "attributes", attributes, "", 200), ("DELETE", "", [:], "", 204),
        ]
        for (method, query, headers, body, status) in calls {
            let bare = "/bucket/key" + (query.isEmpty ? "" : "?\(query)")
            let versioned = "/bucket/key?versionId=\(id)" + (query.isEmpty ? "" : "&\(query)")
            #expect(try await harness.client("plain").send(method, versioned, headers, body).status == 403)
            #expect(try await harness.client("versions").send(method, bare, headers, body).status == 403)
            if method != "DELETE" || query == "tagging" {
                #expect(try await harness.client("plain").send(method, bare, headers, body).status == status)
            }
            #expect(try await harness.client("versions").send(method, versioned, headers, body).status == status)
        }
    }

    @Test("Copying needs to read the source, whichever operation copies (GHSA-mx42)")
    func copySources() async throws {
        let writer = User(name: "writer", policies: [User.allow("s3:PutObject", on: "bucket/*", "secrets/*")])
        let harness = try await GatewayHarness.withBucket(users: [writer])
        try await harness.root.put("/secrets")
        try await harness.root.put("/secrets/key", "secret")
        let client = harness.client("writer")
        let upload = try await client.startUpload("/bucket/key")
        for target in ["/bucket/key", "/bucket/key?partNumber=1&uploadId=\(upload)"] {
            for source in ["secrets/key", "/secrets/key", "secrets%2Fkey", "secrets/none", "none/key"] {
                let copied = try await client.copy(source, to: target)
                #expect([403, 404].contains(copied.status) && copied.code != "NoSuchKey", "\(source): \(copied)")
            }
        }
        #expect(try await harness.root.head("/bucket/key").status == 404)
        #expect(try await harness.root.get("/bucket/key?uploadId=\(upload)").texts("Part/PartNumber").isEmpty)
    }

    @Test("A policy can decide by the source of a copy (GHSA-wfxj)")
    func copySourceCondition() async throws {
        let harness = try await GatewayHarness.withBucket(users: [.administrator("alice")])
        for key in ["good/x", "bad/x"] { try await harness.root.put("/bucket/\(key)", "x") }
        let deny = Documents.statement(
            "Deny", "s3:PutObject", on: "bucket/*",
            when: #"{"StringNotLike":{"s3:x-amz-copy-source":"bucket/good/*"}}"#)
        try await harness.root.put("/bucket?policy", Documents.policy(deny))
        let alice = harness.client("alice")
        #expect(try await alice.copy("bucket/good/x", to: "/bucket/y").status == 200)
        for source in ["bucket/bad/x", "/bucket/bad/x", "bucket/%62ad/x", "bucket%2Fbad/x"] {
            #expect(try await alice.copy(source, to: "/bucket/y").outcome == "403 AccessDenied", "\(source)")
        }
    }

    @Test("Tags that come with a write are decided by the tagging permission and its conditions")
    func tagConditions() async throws {
        let policies = [
            User.allow("s3:PutObject", on: "bucket/*"),
            #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObjectTagging","#
                + #""Resource":"arn:aws:s3:::bucket/*","#
                + #""Condition":{"StringEquals":{"s3:RequestObjectTag/team":"red"}}}]}"#,
        ]
        let harness = try await GatewayHarness.withBucket(users: [User(name: "alice", policies: policies)])
        let alice = harness.client("alice")
        for (tags, status) in [("team=red", 200), ("team=blue", 403), ("other=red", 403)] {
            let headers: HeaderFields = ["x-amz-tagging": tags]
            #expect(try await alice.put("/bucket/key", "x", headers).status == status, "\(tags)")
            #expect(try await alice.post("/bucket/key?uploads", "", headers).status == status)
            let pair = tags.split(separator: "=").map(String.init)
            let document = Documents.tagging([(pair[0], pair[1])])
            #expect(try await alice.put("/bucket/key?tagging", document).status == status)
        }
    }

    @Test("The tags that an object has decide, and not those that a request says it has")
    func existingTags() async throws {
        let policy =
            #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject*","#
            + #""Resource":"arn:aws:s3:::bucket/*","#
            + #""Condition":{"StringEquals":{"s3:ExistingObjectTag/open":"yes"}}}]}"#
        let harness = try await GatewayHarness.withBucket(
            versioning: "Enabled", users: [User(name: "alice", policies: [policy])])
        let old = try await harness.root.put("/bucket/key", "x", ["x-amz-tagging": "open=yes"]).versionID ?? ""
        let alice = harness.client("alice")
        #expect(try await alice.get("/bucket/key").text == "x")
        let new = try await harness.root.put("/bucket/key", "y").versionID ?? ""
        #expect(try await alice.get("/bucket/key", ["x-amz-tagging": "open=yes"]).outcome == "403 AccessDenied")
        #expect(try await alice.get("/bucket/key?versionId=\(old)").text == "x")
        #expect(try await alice.get("/bucket/key?versionId=\(new)").outcome == "403 AccessDenied")
    }
}
