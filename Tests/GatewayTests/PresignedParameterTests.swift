import Primitives
import Testing

/// Parameters named `x-amz-*` of presigned URLs, which S3 obeys as header fields.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>
@Suite("Parameters of presigned URLs")
struct PresignedParameterTests {
    @Test("They act as the header fields of their names")
    func obeyed() async throws {
        let harness = try await GatewayHarness.withBucket()
        let root = harness.root
        let put = try await root.presigned(
            "PUT", "/bucket/key?x-amz-meta-color=dark%20red&X-Amz-Tagging=a%3Db&x-amz-storage-class=STANDARD_IA", [:],
            "x")
        #expect(put.status == 200)
        let head = try await root.head("/bucket/key")
        #expect(head["x-amz-meta-color"] == "dark red")
        #expect(head["x-amz-storage-class"] == "STANDARD_IA")
        #expect(try await root.get("/bucket/key?tagging").texts("TagSet/Tag/Key") == ["a"])
        // The body of a copy is none, and was stored as the object where the source was ignored (attacks §10).
        let copy = try await root.presigned("PUT", "/bucket/copy?x-amz-copy-source=%2Fbucket%2Fkey")
        #expect(copy.root == "CopyObjectResult")
        #expect(try await root.get("/bucket/copy").text == "x")
    }

    @Test("A condition among them that does not hold refuses")
    func conditions() async throws {
        let harness = try await GatewayHarness.withBucket()
        let owner = "x-amz-expected-bucket-owner"
        let wrong = try await harness.root.presigned("PUT", "/bucket/key?\(owner)=999999999999", [:], "x")
        #expect(wrong.outcome == "403 AccessDenied")
        let right = try await harness.root.presigned("PUT", "/bucket/key?\(owner)=\(GatewayHarness.account)", [:], "x")
        #expect(right.status == 200)
        let list = try await harness.root.presigned("PUT", "/bucket/key?x-amz-acl=public-read", [:], "y")
        #expect(list.outcome == "400 AccessControlListNotSupported")
        #expect(try await harness.root.get("/bucket/key").text == "x")
    }

    @Test("The checksums among them are ignored, since SDKs sign them before there is a body")
    func checksums() async throws {
        let harness = try await GatewayHarness.withBucket()
        let put = try await harness.root.presigned(
            "PUT", "/bucket/key?x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32", [:], "content")
        #expect(put.status == 200)
        #expect(try await harness.root.get("/bucket/key").text == "content")
        let got = try await harness.root.presigned("GET", "/bucket/key?x-amz-checksum-mode=ENABLED")
        #expect(got["x-amz-checksum-type"] == "FULL_OBJECT")
    }

    @Test(
        "What means two things is refused",
        arguments: [
            "x-amz-meta-a=1&X-Amz-Meta-A=2", "x-amz-meta-a=1&x-amz-meta-a=1", "x-amz-meta-a=1%0D%0Ax-amz-acl:private",
            "x-amz-meta-%20=1",
        ])
    func ambiguous(_ query: String) async throws {
        let harness = try await GatewayHarness.withBucket()
        let answer = try await harness.root.presigned("PUT", "/bucket/key?\(query)", [:], "x")
        #expect(answer.outcome == "400 InvalidArgument")
        let header = try await harness.root.presigned(
            "PUT", "/bucket/key?x-amz-meta-a=1", ["x-amz-meta-a": "2"], "x")
        #expect(header.outcome == "400 InvalidArgument")
        #expect(try await harness.root.head("/bucket/key").status == 404)
    }

    @Test("Added to a signed URL they break its signature, and in an unsigned one they mean nothing")
    func added() async throws {
        let harness = try await GatewayHarness.withBucket()
        let added = try await harness.root.presigned("PUT", "/bucket/key", [:], "x") {
            $0.target += "&x-amz-meta-a=1"
        }
        #expect(added.outcome == "403 SignatureDoesNotMatch")
        #expect(try await harness.root.put("/bucket/key?x-amz-meta-a=1", "x").status == 200)
        #expect(try await harness.root.head("/bucket/key")["x-amz-meta-a"] == nil)
    }
}
