import Primitives

/// One call of each operation that changes something, on a bucket that is ready for all of them.
struct WriteCall: Sendable {
    var name: String
    var method: String
    var target: String
    var headers = HeaderFields()
    var body: Content = ""

    func send(
        by client: S3Client, payload: S3Client.Payload = .sha256, trailer: HeaderFields? = nil
    ) async throws -> Received {
        try await client.send(method, target, headers, body, payload: payload, trailer: trailer)
    }

    /// The calls, in an order in which each can succeed.
    static func all(_ harness: GatewayHarness) async throws -> [WriteCall] {
        try await harness.root.put("/bucket/key", "content", ["x-amz-tagging": "a=1"])
        try await harness.root.put("/empty")
        try await harness.root.put("/bucket?tagging", Documents.tagging([("a", "1")]))
        let (upload, doomed) = (
            try await harness.root.startUpload("/bucket/upload"), try await harness.root.startUpload("/bucket/doomed")
        )
        let part = try await harness.root.putPart("/bucket/upload", upload, 1, "part").etag
        let owners = try await harness.root.get("/bucket/key?acl").body
        let listed = Documents.delete(["key", "other"])
        let source: HeaderFields = ["x-amz-copy-source": "bucket/key"]
        let policy = Documents.policy(Documents.statement("Allow", "s3:GetObject", on: "bucket/public/*"))
        return [
            WriteCall(name: "CreateBucket", method: "PUT", target: "/new-bucket"),
            WriteCall(name: "PutObject", method: "PUT", target: "/bucket/new", body: "content"),
            WriteCall(name: "CopyObject", method: "PUT", target: "/bucket/copy", headers: source),
            WriteCall(
                name: "PutObjectTagging", method: "PUT", target: "/bucket/key?tagging",
                body: Documents.tagging([("b", "2")])),
            WriteCall(name: "PutObjectAcl", method: "PUT", target: "/bucket/key?acl", body: Content(owners)),
            WriteCall(name: "PutBucketAcl", method: "PUT", target: "/bucket?acl", body: Content(owners)),
            WriteCall(name: "DeleteObjectTagging", method: "DELETE", target: "/bucket/key?tagging"),
            WriteCall(
                name: "PutBucketTagging", method: "PUT", target: "/bucket?tagging",
                body: Documents.tagging([("b", "2")])),
            WriteCall(name: "DeleteBucketTagging", method: "DELETE", target: "/bucket?tagging"),
            WriteCall(name: "PutBucketPolicy", method: "PUT", target: "/bucket?policy", body: policy),
            WriteCall(name: "DeleteBucketPolicy", method: "DELETE", target: "/bucket?policy"),
            WriteCall(
                name: "PutPublicAccessBlock", method: "PUT", target: "/bucket?publicAccessBlock",
                body: Documents.publicAccessBlock([("BlockPublicAcls", "true")])),
            WriteCall(name: "DeletePublicAccessBlock", method: "DELETE", target: "/bucket?publicAccessBlock"),
            WriteCall(name: "CreateMultipartUpload", method: "POST", target: "/bucket/key?uploads"),
            WriteCall(
                name: "UploadPart", method: "PUT", target: "/bucket/upload?partNumber=2&uploadId=\(upload)",
                body: "part"),
            WriteCall(
                name: "UploadPartCopy", method: "PUT", target: "/bucket/upload?partNumber=3&uploadId=\(upload)",
                headers: source),
            WriteCall(
                name: "CompleteMultipartUpload", method: "POST", target: "/bucket/upload?uploadId=\(upload)",
                body: Documents.complete([(1, part)])),
            WriteCall(name: "AbortMultipartUpload", method: "DELETE", target: "/bucket/doomed?uploadId=\(doomed)"),
            WriteCall(
                name: "DeleteObjects", method: "POST", target: "/bucket?delete",
                headers: ["content-md5": Documents.md5(listed)], body: listed),
            WriteCall(name: "DeleteObject", method: "DELETE", target: "/bucket/copy"),
            WriteCall(
                name: "PutBucketVersioning", method: "PUT", target: "/bucket?versioning",
                body: Documents.versioning("Enabled")),
            WriteCall(name: "DeleteBucket", method: "DELETE", target: "/empty"),
        ]
    }
}
