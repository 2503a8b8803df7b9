import Gateway
import NIOCore
import Policy
import Primitives
import S3Model
import S3Wire
import Server

extension FuzzTarget {
    /// A whole request: its head as it comes from the socket, then its document. It is routed and read.
    static let operation = FuzzTarget("operation") {
        [
            Example(
                "get",
                "GET /bucket/k?versionId=null&partNumber=2&response-content-type=a HTTP/1.1\r\nhost: h\r\n",
                "range: bytes=0-1\r\nif-none-match: \"a\", W/\"b\"\r\n\r\n"
            ),
            Example(
                "put",
                "PUT /k HTTP/1.1\r\nhost: bucket.s3.example.com\r\nx-amz-meta-a: b\r\nx-amz-tagging: a=b&c=%20\r\n",
                "content-md5: 1B2M2Y8AsgTpgAmY7PhCfg==\r\nx-amz-checksum-crc32: AAAAAA==\r\n",
                "content-length: 0\r\n\r\n"
            ),
            Example(
                "copy",
                "PUT /bucket/k?partNumber=1&uploadId=u HTTP/1.1\r\nhost: h\r\nx-amz-copy-source: ",
                "/other/k%2F..?versionId=null\r\n",
                "x-amz-copy-source-range: bytes=0-9\r\nx-amz-copy-source-if-unmodified-since: Fri, ",
                "24 May 2013 00:00:00 GMT\r\n\r\n"
            ),
            Example(
                "list",
                "GET /bucket?list-type=2&prefix=a%2F&delimiter=/&max-keys=7&encoding-type=url&",
                "continuation-token=AWE HTTP/1.1\r\nhost: h\r\n\r\n"
            ),
            Example(
                "versions",
                "GET /bucket?versions&key-marker=a&version-id-marker=null HTTP/1.1\r\n",
                "host: h\r\n\r\n"),
            Example("uploads", "GET /bucket?uploads&upload-id-marker=a&key-marker=b HTTP/1.1\r\nhost: h\r\n\r\n"),
            Example("parts", "GET /bucket/k?uploadId=u&part-number-marker=5 HTTP/1.1\r\nhost: h\r\n\r\n"),
            Example(
                "attributes",
                "GET /bucket/k?attributes HTTP/1.1\r\nhost: h\r\nx-amz-object-attributes: ETag,ObjectParts\r\n\r\n"),
            Example(
                "initiate",
                "POST /bucket/k?uploads HTTP/1.1\r\nhost: h\r\nx-amz-checksum-algorithm: SHA256\r\n",
                "x-amz-checksum-type: COMPOSITE\r\n\r\n"
            ),
            Example(
                "delete",
                "DELETE /bucket/k?versionId=null HTTP/1.1\r\nhost: h\r\nx-amz-if-match-size: 4\r\n",
                "x-amz-if-match-last-modified-time: 2024-01-01T00:00:00Z\r\nif-match: *\r\n\r\n"),
            Example(
                "tagging",
                "PUT /bucket/k?tagging HTTP/1.1\r\nhost: h\r\n\r\n<Tagging><TagSet><Tag><Key>a</Key><Value>",
                "b</Value></Tag></TagSet></Tagging>"
            ),
            Example("buckets", "GET /?max-buckets=3&prefix=a HTTP/1.1\r\nhost: h\r\n\r\n"),
            Example("lock", "PUT /bucket/k?retention HTTP/1.1\r\nhost: h\r\n\r\n<Retention/>"),
        ]
    } run: { bytes in
        let outcome = HeadOutcome(bytes, piecesOf: .max)
        guard let head = outcome.requests.first?.head else { return false }
        // What follows the first head, however it was framed.
        let end = bytes.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound ?? bytes.count
        do {
            let request = try WireRequest(head, domains: ["s3.example.com"], region: "us-east-1")
            try OperationCheck.checkDecoded(head, request)
            let name = try Router.operation(of: request)
            // One that is routed and not served is answered with 501 after this.
            guard let type = ServedOperations.all.first(where: { $0.routes.contains(name) }) else { return false }
            try OperationCheck.decode(type, request, Array(bytes[end...]))
            return true
        } catch let error as S3Error {
            try checkRefusal(error)
            return false
        }
    }
}

private enum OperationCheck {
    /// Bucket and key are what the path says, decoded once: nothing is normalised, joined or dropped.
    static func checkDecoded(_ head: RequestHead, _ request: WireRequest) throws {
        guard let path = PercentCoding.decode(head.rawPath.utf8) else {
            throw BrokenProperty(description: "a path that does not decode is taken")
        }
        var expected: [UInt8] = [0x2F]
        if request.bucketOfHost == nil, let bucket = request.bucket {
            expected += bucket.utf8
            // A slash alone after the bucket names no key.
            if path.count > expected.count { expected.append(0x2F) }
        }
        try require(path == expected + (request.key?.bytes ?? []), "a path that is read otherwise than it stands")
        try require(request.key.map { (1...1024).contains($0.bytes.count) } ?? true, "a key outside the limits")
    }

    static func decode<Served: ServedOperation>(
        _: Served.Type, _ request: WireRequest, _ document: [UInt8]
    ) throws {
        let input = try Served.decode(request, document: Served.payload == .none ? [] : document)
        for access in Served.accesses(of: input) {
            try require(access.action.utf8.starts(with: "s3:".utf8), "an action that is none of S3's")
            try require(access.key == nil || access.bucket != nil, "a key of no bucket")
        }
    }
}
