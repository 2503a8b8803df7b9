import Cryptography
import Primitives
import Testing

/// Checksums that clients send, in a header or behind the bytes.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>
@Suite("Checksums")
struct ChecksumTests {
    private static let bytes = Array("The bytes whose checksum is asked for.".utf8)

    private func value(_ algorithm: ChecksumAlgorithm, of bytes: [UInt8] = bytes) -> String {
        Base64.encode(Digest.hash(algorithm, bytes))
    }

    @Test("A checksum in a header is held against the bytes", arguments: ChecksumAlgorithm.allCases)
    func header(_ algorithm: ChecksumAlgorithm) async throws {
        let harness = try await GatewayHarness.withBucket()
        var headers = HeaderFields()
        headers[algorithm.headerName] = value(algorithm)
        let stored = try await harness.root.put("/bucket/key", Content(Self.bytes), headers)
        #expect(stored.status == 200)
        #expect(stored[algorithm.headerName] == value(algorithm))
        let head = try await harness.root.head("/bucket/key", ["x-amz-checksum-mode": "ENABLED"])
        #expect(head[algorithm.headerName] == value(algorithm))
        let before = try await harness.contents()
        headers[algorithm.headerName] = value(algorithm, of: [1])
        #expect(try await harness.root.put("/bucket/key", Content(Self.bytes), headers).outcome == "400 BadDigest")
        for malformed in ["", "AAA", "!", value(algorithm) + "AAAA", "AA=="] where malformed != value(algorithm) {
            headers[algorithm.headerName] = malformed
            #expect(
                try await harness.root.put("/bucket/key", Content(Self.bytes), headers).outcome == "400 InvalidRequest")
        }
        #expect(try await harness.contents() == before)
    }

    @Test(
        "A checksum in the trailer is held against the bytes", arguments: ChecksumAlgorithm.allCases,
        [S3Client.Payload.signedChunksWithTrailer, .unsignedChunksWithTrailer])
    func trailer(_ algorithm: ChecksumAlgorithm, _ payload: S3Client.Payload) async throws {
        let harness = try await GatewayHarness.withBucket()
        func put(_ text: String) async throws -> Received {
            var trailer = HeaderFields()
            trailer[algorithm.headerName] = text
            return try await harness.root.send(
                "PUT", "/bucket/key", [:], Content(Self.bytes), payload: payload, trailer: trailer)
        }
        #expect(try await put(value(algorithm, of: [1])).outcome == "400 BadDigest")
        for malformed in ["", "!", "AA=="] {
            #expect(try await put(malformed).status == 400)
        }
        #expect(try await harness.root.head("/bucket/key").status == 404)
        let stored = try await put(value(algorithm))
        #expect(stored.status == 200)
        #expect(stored[algorithm.headerName] == value(algorithm))
        #expect(try await harness.root.get("/bucket/key").body == Self.bytes)
    }

    @Test("A trailer that is announced must come, and no other (an object without its check is none)")
    func missingTrailer() async throws {
        let harness = try await GatewayHarness.withBucket()
        let headers: HeaderFields = ["x-amz-trailer": "x-amz-checksum-crc32"]
        for payload in [S3Client.Payload.unsignedChunksWithTrailer, .signedChunksWithTrailer] {
            let missing = try await harness.root.send(
                "PUT", "/bucket/key", headers, Content(Self.bytes), payload: payload, trailer: HeaderFields())
            #expect(missing.outcome == "400 MalformedTrailerError")
        }
        let unframed = try await harness.root.put("/bucket/key", Content(Self.bytes), headers)
        #expect(unframed.status == 400)
        for name in ["x-amz-checksum-crc16", "x-amz-meta-a", "content-md5"] {
            let refused = try await harness.root.send(
                "PUT", "/bucket/key", ["x-amz-trailer": name], Content(Self.bytes), payload: .unsignedChunksWithTrailer,
                trailer: HeaderFields())
            #expect(refused.outcome == "400 InvalidRequest", "\(name)")
        }
        #expect(try await harness.root.head("/bucket/key").status == 404)
    }

    @Test("Content-MD5 is held against the bytes")
    func contentMD5() async throws {
        let harness = try await GatewayHarness.withBucket()
        let right = Documents.md5(Content(Self.bytes))
        let cases = [
            (right, "200"), (Documents.md5("other"), "400 BadDigest"), ("x", "400 InvalidDigest"),
            ("", "400 InvalidDigest"), (value(.sha1), "400 InvalidDigest"),
        ]
        for (digest, outcome) in cases {
            let stored = try await harness.root.put("/bucket/key", Content(Self.bytes), ["content-md5": digest])
            #expect(stored.outcome == outcome)
            #expect(try await harness.root.head("/bucket/key").status == (outcome == "200" ? 200 : 404))
            try await harness.root.delete("/bucket/key")
        }
    }

    @Test("Checksums that contradict one another are refused")
    func contradictions() async throws {
        let harness = try await GatewayHarness.withBucket()
        let cases: [HeaderFields] = [
            ["x-amz-checksum-crc32": value(.crc32), "x-amz-checksum-sha1": value(.sha1)],
            ["x-amz-checksum-crc32": value(.crc32), "x-amz-sdk-checksum-algorithm": "SHA1"],
            ["x-amz-sdk-checksum-algorithm": "CRC16"], ["x-amz-checksum-type": "HALF"],
        ]
        for headers in cases {
            let refused = try await harness.root.put("/bucket/key", Content(Self.bytes), headers)
            #expect(refused.outcome == "400 InvalidRequest", "\(headers)")
        }
        #expect(try await harness.root.head("/bucket/key").status == 404)
    }

    @Test("Parts are held against their checksums, and so is the whole")
    func parts() async throws {
        let harness = try await GatewayHarness.withBucket()
        for (algorithm, type) in [("SHA256", "COMPOSITE"), ("CRC32", "FULL_OBJECT"), ("CRC64NVME", "FULL_OBJECT")] {
            let kind = try #require(ChecksumAlgorithm(rawValue: algorithm))
            let headers: HeaderFields = ["x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": type]
            let started = try await harness.root.post("/bucket/key?uploads", "", headers)
            #expect(started["x-amz-checksum-algorithm"] == algorithm)
            #expect(started["x-amz-checksum-type"] == type)
            let upload = started.text("UploadId") ?? ""
            var wrong = HeaderFields()
            wrong[kind.headerName] = value(kind, of: [1])
            #expect(
                try await harness.root.putPart("/bucket/key", upload, 1, Content(Self.bytes), wrong).outcome
                    == "400 BadDigest")
            let other = algorithm == "SHA256" ? "crc32" : "sha256"
            let otherKind: ChecksumAlgorithm = algorithm == "SHA256" ? .crc32 : .sha256
            var mixed = HeaderFields()
            mixed["x-amz-checksum-\(other)"] = value(otherKind)
            #expect(
                try await harness.root.putPart("/bucket/key", upload, 1, Content(Self.bytes), mixed).outcome
                    == "400 InvalidRequest")
            let part = try await harness.root.putPart("/bucket/key", upload, 1, Content(Self.bytes))
            #expect(part[kind.headerName] == value(kind))
            let listed = try await harness.root.get("/bucket/key?uploadId=\(upload)")
            #expect(listed.text("ChecksumAlgorithm") == algorithm)
            #expect(listed.text("ChecksumType") == type)
            #expect(listed.text("Part/\(kind.elementName)") == value(kind))
            func complete(_ checksum: String, _ headers: HeaderFields = [:]) async throws -> Received {
                let element = checksum.isEmpty ? "" : "<\(kind.elementName)>\(checksum)</\(kind.elementName)>"
                let document =
                    "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\(part.etag ?? "")</ETag>"
                    + element + "</Part></CompleteMultipartUpload>"
                return try await harness.root.post(
                    "/bucket/key?uploadId=\(upload)", Content(Array(document.utf8)), headers)
            }
            #expect(try await complete(value(kind, of: [1])).outcome == "400 InvalidPart")
            if type == "COMPOSITE" { #expect(try await complete("").outcome == "400 InvalidRequest") }
            let opposite: HeaderFields = ["x-amz-checksum-type": type == "COMPOSITE" ? "FULL_OBJECT" : "COMPOSITE"]
            #expect(try await complete(value(kind), opposite).outcome == "400 InvalidRequest")
            var whole = HeaderFields()
            whole[kind.headerName] = value(kind, of: [1])
            #expect(try await complete(value(kind), whole).outcome == "400 BadDigest")
            let total = type == "COMPOSITE" ? value(kind, of: Digest.hash(kind, Self.bytes)) : value(kind)
            whole[kind.headerName] = total
            let completed = try await complete(value(kind), whole)
            #expect(completed.status == 200, "\(completed)")
            #expect(completed.text(kind.elementName) == total + (type == "COMPOSITE" ? "-1" : ""))
            #expect(completed.text("ChecksumType") == type)
            let head = try await harness.root.head("/bucket/key", ["x-amz-checksum-mode": "ENABLED"])
            #expect(head[kind.headerName] == completed.text(kind.elementName))
            #expect(head["x-amz-checksum-type"] == type)
        }
    }

    @Test("What an algorithm cannot be is refused when the upload starts")
    func types() async throws {
        let harness = try await GatewayHarness.withBucket()
        let cases: [HeaderFields] = [
            ["x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-type": "FULL_OBJECT"],
            ["x-amz-checksum-algorithm": "CRC64NVME", "x-amz-checksum-type": "COMPOSITE"],
            ["x-amz-checksum-type": "COMPOSITE"], ["x-amz-checksum-algorithm": "CRC16"],
        ]
        for headers in cases {
            #expect(try await harness.root.post("/bucket/key?uploads", "", headers).outcome == "400 InvalidRequest")
        }
    }

    @Test("Documents are held against their checksums before they are obeyed")
    func documents() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "x")
        let document = Documents.delete(["key"])
        #expect(try await harness.root.post("/bucket?delete", document).outcome == "400 InvalidRequest")
        let cases: [(HeaderFields, String)] = [
            (["content-md5": Documents.md5("other")], "400 BadDigest"),
            (["x-amz-checksum-crc32": value(.crc32)], "400 BadDigest"),
            (["x-amz-checksum-crc32": value(.crc32, of: document.bytes)], "200"),
        ]
        for (headers, outcome) in cases {
            #expect(try await harness.root.post("/bucket?delete", document, headers).outcome == outcome)
            #expect(try await harness.root.head("/bucket/key").status == (outcome == "200" ? 404 : 200))
        }
        let tagging = Documents.tagging([("a", "1")])
        let wrong: HeaderFields = ["content-md5": Documents.md5("other")]
        #expect(try await harness.root.put("/bucket?tagging", tagging, wrong).outcome == "400 BadDigest")
        #expect(try await harness.root.put("/bucket?versioning", Documents.versioning("Enabled"), wrong).status == 400)
        let trailer: HeaderFields = ["x-amz-checksum-crc32": value(.crc32)]
        let trailed = try await harness.root.send(
            "PUT", "/bucket?tagging", [:], tagging, payload: .unsignedChunksWithTrailer, trailer: trailer)
        #expect(trailed.outcome == "400 BadDigest")
        #expect(try await harness.root.get("/bucket?tagging").outcome == "404 NoSuchTagSet")
    }
}
