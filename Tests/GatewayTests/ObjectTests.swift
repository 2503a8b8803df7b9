import Cryptography
import Primitives
import Testing

/// PUT, GET, HEAD and DELETE of objects.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
@Suite("Objects")
struct ObjectTests {
    private func bucket(_ users: GatewayHarness.User...) async throws -> GatewayHarness {
        let harness = try await GatewayHarness(users: users)
        #expect(try await harness.root.put("/bucket").status == 200)
        return harness
    }

    @Test("What was put is got, with its ETag, type and time")
    func roundTrip() async throws {
        let harness = try await bucket()
        let stored = try await harness.root.put("/bucket/key", "content", ["content-type": "text/plain"])
        #expect(stored.status == 200)
        #expect(stored.etag == "\"9a0364b9e99bb480dd25e1f0284c8555\"")
        #expect(stored["x-amz-checksum-crc64nvme"] != nil)
        #expect(stored["x-amz-checksum-type"] == "FULL_OBJECT")
        let got = try await harness.root.get("/bucket/key")
        #expect(got.status == 200)
        #expect(got.text == "content")
        #expect(got.etag == stored.etag)
        #expect(got["content-length"] == "7")
        #expect(got["content-type"] == "text/plain")
        #expect(got["accept-ranges"] == "bytes")
        #expect(got["last-modified"] == harness.now.httpDate)
        #expect(got.versionID == nil, "a bucket that was never versioned shows no version ids")
        let head = try await harness.root.head("/bucket/key")
        #expect(head.status == 200)
        #expect(head.body.isEmpty)
        for name in ["etag", "content-length", "content-type", "last-modified", "accept-ranges"] {
            #expect(head[name] == got[name], "\(name)")
        }
        try await IndexLaws.check(harness)
    }
}
