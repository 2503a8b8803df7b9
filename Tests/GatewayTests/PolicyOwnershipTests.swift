import Primitives
import Testing

/// Who manages the policy of a bucket: its own account, whatever the policy says.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html>
@Suite("Owners of policies")
struct PolicyOwnershipTests {
    private static let everything = [
        Documents.statement("Allow", "s3:*", on: "bucket/*"), Documents.statement("Allow", "s3:*", on: "bucket"),
    ]
    private static let bob = GatewayHarness.User.administrator("bob", account: GatewayHarness.otherAccount)

    @Test("Whom the policy allows everything cannot replace, read or delete it from outside")
    func outsiders() async throws {
        let harness = try await GatewayHarness.withBucket(users: [Self.bob, .administrator("alice")])
        let open = Documents.policy(Self.everything[0], Self.everything[1])
        #expect(try await harness.root.put("/bucket?policy", open).status == 204)
        let closed = Documents.policy(Documents.statement("Deny", "s3:*", on: "bucket"))
        for client in [harness.client("bob"), harness.anonymous] {
            #expect(try await client.put("/bucket/key", "x").status == 200)
            #expect(try await client.put("/bucket?policy", closed).outcome == "405 MethodNotAllowed")
            #expect(try await client.get("/bucket?policy").outcome == "405 MethodNotAllowed")
            #expect(try await client.delete("/bucket?policy").outcome == "405 MethodNotAllowed")
        }
        #expect(try await harness.client("alice").get("/bucket?policy").body == open.bytes)
        #expect(try await harness.client("alice").delete("/bucket?policy").status == 204)
        #expect(try await harness.client("bob").get("/bucket?policy").outcome == "403 AccessDenied")
    }

    @Test("The root undoes the policy by which any account has locked itself out, and nothing else there")
    func lockedOut() async throws {
        let harness = try await GatewayHarness(users: [Self.bob])
        let bob = harness.client("bob")
        #expect(try await bob.put("/bucket").status == 200)
        #expect(try await bob.put("/bucket/key", "x").status == 200)
        let all =
            #"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","#
            + #""Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"]}]}"#
        #expect(try await bob.put("/bucket?policy", Content(Array(all.utf8))).status == 204)
        #expect(try await bob.delete("/bucket?policy").outcome == "403 AccessDenied")
        #expect(try await harness.root.get("/bucket/key").outcome == "403 AccessDenied")
        #expect(try await harness.root.get("/bucket?policy").status == 200)
        #expect(try await harness.root.delete("/bucket?policy").status == 204)
        #expect(try await bob.get("/bucket/key").text == "x")
        #expect(try await harness.root.get("/bucket/key").outcome == "403 AccessDenied", "it is another account's")
    }
}
