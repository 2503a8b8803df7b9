import Cryptography
import Gateway
import Metadata
import Primitives
import S3Model
import Simulation
import Testing
import Workers

/// The whole life of multipart uploads.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>
@Suite("Multipart uploads")
struct MultipartTests {
    private static let partSize = 5 << 20

    /// A gateway whose cells are long enough for long parts.
    private func harness(versioning: String? = nil) async throws -> GatewayHarness {
        try await GatewayHarness.withBucket(versioning: versioning, cell: 64 << 10)
    }

    @Test("Parts become one object, that is read whole, by range and by part")
    func life() async throws {
        let harness = try await harness()
        let bytes = harness.environment.randomBytes(Self.partSize + 1000)
        let (first, second) = (Array(bytes.prefix(Self.partSize)), Array(bytes.dropFirst(Self.partSize)))
        let headers: HeaderFields = ["content-type": "text/x", "x-amz-meta-a": "1", "x-amz-tagging": "t=1"]
        let started = try await harness.root.post("/bucket/key?uploads", "", headers)
        #expect(started.root == "InitiateMultipartUploadResult")
        #expect(started.texts("Bucket") + started.texts("Key") == ["bucket", "key"])
        let upload = started.text("UploadId") ?? ""
        // Numbers need not follow one another, and parts come in any order.
        let two = try await harness.root.putPart("/bucket/key", upload, 7, Content(second))
        let one = try await harness.root.putPart("/bucket/key", upload, 3, Content(first))
        #expect(one.etag == "\"\(Hex.encode(Digest.hash(.md5, first)))\"")
        #expect(try await harness.root.get("/bucket/key").status == 404, "nothing is visible before the end")
        harness.advance(by: .seconds(5))
        let completed = try await harness.root.complete("/bucket/key", upload, [(3, one.etag), (7, two.etag)])
        #expect(completed.status == 200)
        #expect(completed.root == "CompleteMultipartUploadResult")
        let digests = Digest.hash(.md5, first) + Digest.hash(.md5, second)
        let etag = "\"\(Hex.encode(Digest.hash(.md5, digests)))-2\""
        #expect(completed.text("ETag") == etag)
        let got = try await harness.root.get("/bucket/key")
        #expect(got.body == bytes)
        #expect(got.etag == etag)
        #expect(got["content-type"] == "text/x")
        #expect(got["x-amz-meta-a"] == "1")
        #expect(got["x-amz-tagging-count"] == "1")
        #expect(got["last-modified"] == harness.now.httpDate)
        let range = try await harness.root.get(
            "/bucket/key", ["range": "bytes=\(Self.partSize - 3)-\(Self.partSize + 2)"])
        #expect(range.body == Array(bytes[(Self.partSize - 3)...(Self.partSize + 2)]))
        let part = try await harness.root.get("/bucket/key?partNumber=2")
        #expect(part.status == 206)
        #expect(part.body == second)
        #expect(part["x-amz-mp-parts-count"] == "2")
        #expect(part["content-range"] == "bytes \(Self.partSize)-\(bytes.count - 1)/\(bytes.count)")
        #expect(try await harness.root.head("/bucket/key?partNumber=1")["content-length"] == String(Self.partSize))
        #expect(try await harness.root.get("/bucket/key?partNumber=3").outcome == "416 InvalidPartNumber")
        try await IndexLaws.check(harness)
    }

    @Test("Completing twice gives the same answer, also after the object is gone")
    func completeTwice() async throws {
        for versioning in [nil, "Enabled"] {
            let harness = try await harness(versioning: versioning)
            let upload = try await harness.root.startUpload("/bucket/key", ["x-amz-checksum-algorithm": "CRC32"])
            let part = try await harness.root.putPart("/bucket/key", upload, 1, "part")
            let parts = [(1, part.etag)]
            let crc = part["x-amz-checksum-crc32"] ?? ""
            let document = Content(
                Array(
                    """
                    <CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\(part.etag ?? "")</ETag>\
                    <ChecksumCRC32>\(crc)</ChecksumCRC32></Part></CompleteMultipartUpload>
                    """.utf8))
            let first = try await harness.root.post("/bucket/key?uploadId=\(upload)", document)
            #expect(first.status == 200)
            #expect(first.text("ChecksumType") == "COMPOSITE")
            let second = try await harness.root.post("/bucket/key?uploadId=\(upload)", document)
            #expect(second.body == first.body)
            #expect(second.versionID == first.versionID)
            #expect((first.versionID == nil) == (versioning == nil))
            try await harness.root.delete("/bucket/key")
            let third = try await harness.root.complete("/bucket/key", upload, parts)
            #expect(third.text("ETag") == first.text("ETag"))
            #expect(try await harness.root.get("/bucket/key").status == 404, "a retry brings nothing back")
            for target in ["/bucket/key?uploadId=\(upload)", "/bucket/key?uploadId=\(upload)&part-number-marker=1"] {
                #expect(try await harness.root.get(target).outcome == "404 NoSuchUpload")
            }
            #expect(try await harness.root.putPart("/bucket/key", upload, 2, "x").outcome == "404 NoSuchUpload")
            #expect(try await harness.root.delete("/bucket/key?uploadId=\(upload)").outcome == "404 NoSuchUpload")
            try await IndexLaws.check(harness)
        }
    }

    @Test("A list of parts that is wrong completes nothing")
    func wrongLists() async throws {
        let harness = try await harness()
        let upload = try await harness.root.startUpload("/bucket/key")
        var etags: [Int: String?] = [:]
        for number in [1, 2, 3] {
            etags[number] = try await harness.root.putPart("/bucket/key", upload, number, "part \(number)").etag
        }
        func part(_ number: Int) -> (Int, String?) { (number, etags[number] ?? nil) }
        let cases: [([(Int, String?)], String)] = [
            ([part(2), part(1)], "400 InvalidPartOrder"), ([part(1), part(1)], "400 InvalidPartOrder"),
            ([(1, "\"00000000000000000000000000000000\"")], "400 InvalidPart"), ([(1, part(2).1)], "400 InvalidPart"),
            ([(4, part(1).1)], "400 InvalidPart"), ([part(1), part(2)], "400 EntityTooSmall"),
            ([], "400 MalformedXML"), ([(1, nil)], "400 MalformedXML"), ([(0, part(1).1)], "400 InvalidArgument"),
            ([(10_001, part(1).1)], "400 InvalidArgument"),
        ]
        let before = try await harness.contents()
        for (parts, outcome) in cases {
            let refused = try await harness.root.complete("/bucket/key", upload, parts)
            #expect(refused.outcome == outcome, "\(parts)")
        }
        for document: Content in [
            "", "no xml", "<Other/>", "<CompleteMultipartUpload><Part><PartNumber>one</PartNumber>",
        ] {
            #expect(
                try await harness.root.post("/bucket/key?uploadId=\(upload)", document).outcome == "400 MalformedXML")
        }
        #expect(try await harness.contents() == before)
        // Quotes around an ETag are optional.
        let bare = part(3).1?.filter { $0 != "\"" }
        #expect(try await harness.root.complete("/bucket/key", upload, [(3, bare)]).status == 200)
        #expect(try await harness.root.get("/bucket/key").text == "part 3")
        try await IndexLaws.check(harness)
    }

    @Test("What an upload is called, and for which key, must be right")
    func unknownUploads() async throws {
        let harness = try await harness()
        let upload = try await harness.root.startUpload("/bucket/key")
        let part = try await harness.root.putPart("/bucket/key", upload, 1, "part")
        for (target, id) in [("/bucket/key", "none"), ("/bucket/key", ""), ("/bucket/other", upload)] {
            #expect(try await harness.root.putPart(target, id, 1, "x").outcome == "404 NoSuchUpload")
            #expect(try await harness.root.get("\(target)?uploadId=\(id)").outcome == "404 NoSuchUpload")
            #expect(try await harness.root.delete("\(target)?uploadId=\(id)").outcome == "404 NoSuchUpload")
            #expect(try await harness.root.complete(target, id, [(1, part.etag)]).outcome == "404 NoSuchUpload")
        }
        for number in ["0", "10001", "x", ""] {
            let refused = try await harness.root.put("/bucket/key?partNumber=\(number)&uploadId=\(upload)", "x")
            #expect(refused.outcome == "400 InvalidArgument")
        }
        #expect(try await harness.root.put("/bucket/key?uploadId=\(upload)", "x").outcome == "400 InvalidArgument")
        // A part without its upload must not become the object.
        #expect(try await harness.root.put("/bucket/key?partNumber=1", "x").outcome == "400 InvalidArgument")
        #expect(try await harness.root.head("/bucket/key").status == 404)
        #expect(try await harness.root.get("/bucket/key?uploadId=\(upload)").texts("Part/PartNumber") == ["1"])
    }

    @Test("An aborted upload is gone with its parts")
    func abort() async throws {
        let harness = try await harness()
        let before = try await harness.contents().filter { $0.key.first == 0x02 }
        let upload = try await harness.root.startUpload("/bucket/key")
        for number in 1...3 { try await harness.root.putPart("/bucket/key", upload, number, "part") }
        let initiated = harness.now.httpDate
        var headers: HeaderFields = ["x-amz-if-match-initiated-time": (harness.now + .seconds(1)).httpDate]
        #expect(try await harness.root.delete("/bucket/key?uploadId=\(upload)", headers).status == 412)
        headers = ["x-amz-if-match-initiated-time": "noon"]
        #expect(try await harness.root.delete("/bucket/key?uploadId=\(upload)", headers).status == 400)
        headers = ["x-amz-if-match-initiated-time": initiated]
        #expect(try await harness.root.delete("/bucket/key?uploadId=\(upload)", headers).status == 204)
        #expect(try await harness.root.delete("/bucket/key?uploadId=\(upload)").outcome == "404 NoSuchUpload")
        #expect(try await harness.contents().filter { $0.key.first == 0x02 } == before)
        try await IndexLaws.check(harness)
    }

    @Test("A part that is sent again replaces the earlier one")
    func replacedPart() async throws {
        let harness = try await harness()
        let upload = try await harness.root.startUpload("/bucket/key")
        let old = try await harness.root.putPart("/bucket/key", upload, 1, "old")
        let new = try await harness.root.putPart("/bucket/key", upload, 1, "newer")
        let listed = try await harness.root.get("/bucket/key?uploadId=\(upload)")
        #expect(listed.texts("Part/Size") == ["5"])
        #expect(try await harness.root.complete("/bucket/key", upload, [(1, old.etag)]).outcome == "400 InvalidPart")
        #expect(try await harness.root.complete("/bucket/key", upload, [(1, new.etag)]).status == 200)
        #expect(try await harness.root.get("/bucket/key").text == "newer")
        try await IndexLaws.check(harness)
    }

    @Test("Parts are listed page by page")
    func listParts() async throws {
        let harness = try await harness()
        let upload = try await harness.root.startUpload("/bucket/key", ["x-amz-storage-class": "STANDARD_IA"])
        for number in [1, 2, 5, 9, 10_000] {
            try await harness.root.putPart("/bucket/key", upload, number, Content([UInt8](repeating: 1, count: number)))
        }
        var (found, marker): ([String], String?) = ([], "0")
        while let from = marker {
            let page = try await harness.root.get(
                "/bucket/key?uploadId=\(upload)&max-parts=2&part-number-marker=\(from)")
            #expect(page.root == "ListPartsResult")
            #expect(page.text("MaxParts") == "2")
            #expect(page.text("PartNumberMarker") == from)
            #expect(page.text("StorageClass") == "STANDARD_IA")
            #expect(page.text("Initiator/ID") == page.text("Owner/ID"))
            found += page.texts("Part/PartNumber")
            let isTruncated = page.text("IsTruncated") == "true"
            #expect(isTruncated == (found.count < 5))
            marker = isTruncated ? page.text("NextPartNumberMarker") : nil
        }
        #expect(found == ["1", "2", "5", "9", "10000"])
        let all = try await harness.root.get("/bucket/key?uploadId=\(upload)&max-parts=99999")
        #expect(all.text("MaxParts") == "1000")
        #expect(all.texts("Part/Size") == ["1", "2", "5", "9", "10000"])
        #expect(
            try await harness.root.get("/bucket/key?uploadId=\(upload)&max-parts=-1").outcome == "400 InvalidArgument")
    }

    @Test("The size that the client says must be that of the object")
    func objectSize() async throws {
        let harness = try await harness()
        let upload = try await harness.root.startUpload("/bucket/key")
        let part = try await harness.root.putPart("/bucket/key", upload, 1, "part")
        for size in ["5", "-1", "four"] {
            let refused = try await harness.root.complete(
                "/bucket/key", upload, [(1, part.etag)], ["x-amz-mp-object-size": size])
            #expect(refused.outcome == "400 InvalidRequest")
        }
        let headers: HeaderFields = ["x-amz-mp-object-size": "4"]
        #expect(try await harness.root.complete("/bucket/key", upload, [(1, part.etag)], headers).status == 200)
    }

    @Test("Parts can be copied, whole or by range")
    func copiedParts() async throws {
        let harness = try await harness()
        try await harness.root.put("/bucket/source", "0123456789")
        let upload = try await harness.root.startUpload("/bucket/key")
        let target = "/bucket/key?partNumber=1&uploadId=\(upload)"
        let whole = try await harness.root.copy("/bucket/source", to: target)
        #expect(whole.root == "CopyPartResult")
        #expect(whole.text("ETag") == "\"781e5e245d69b566979b86e28d23f2c7\"")
        for range in ["bytes=2-", "bytes=-3", "2-4", "bytes=4-2", "bytes=0-10", "bytes=10-12"] {
            let refused = try await harness.root.copy("/bucket/source", to: target, ["x-amz-copy-source-range": range])
            #expect(refused.outcome == "400 InvalidArgument", "\(range)")
        }
        let ranged: HeaderFields = ["x-amz-copy-source-range": "bytes=2-4"]
        let part = try await harness.root.copy("/bucket/source", to: target, ranged)
        #expect(try await harness.root.complete("/bucket/key", upload, [(1, part.text("ETag"))]).status == 200)
        #expect(try await harness.root.get("/bucket/key").text == "234")
        #expect(try await harness.root.copy("/bucket/source", to: target).outcome == "404 NoSuchUpload")
        try await IndexLaws.check(harness)
    }

    @Test("A bucket with uploads in progress can be deleted, and nothing of them is left")
    func deletedBucket() async throws {
        let harness = try await harness()
        for key in ["one", "two"] {
            let upload = try await harness.root.startUpload("/bucket/\(key)")
            try await harness.root.putPart("/bucket/\(key)", upload, 1, "part")
        }
        let done = try await harness.root.startUpload("/bucket/three")
        let part = try await harness.root.putPart("/bucket/three", done, 1, "part")
        #expect(try await harness.root.complete("/bucket/three", done, [(1, part.etag)]).status == 200)
        #expect(try await harness.root.delete("/bucket").outcome == "409 BucketNotEmpty")
        #expect(try await harness.root.get("/bucket?uploads").texts("Upload/Key") == ["one", "two"])
        try await harness.root.delete("/bucket/three")
        #expect(try await harness.root.delete("/bucket").status == 204)
        let collector = UploadCollector(commits: harness.workers, environment: harness.environment)
        while try await collector.pass() > 0 {}
        let left = try await harness.contents()
        #expect(left.filter { $0.key.first == 0x02 }.isEmpty)
        try await IndexLaws.check(harness)
    }

    @Test("10,000 parts complete, replace and are deleted in one commit each")
    func mostParts() async throws {
        let harness = try await harness()
        let bucket = try await harness.bucketID()
        for round in 0..<2 {
            let text = try await harness.root.startUpload("/bucket/key")
            let upload = try #require(UploadID(text))
            try await harness.forgeParts(10_000, of: upload, in: bucket, round: UInt64(round))
            let parts = (1...10_000).map { ($0, Optional(Self.forgedETag)) }
            #expect(try await harness.root.complete("/bucket/key", text, parts).status == 200)
            #expect(try await harness.root.head("/bucket/key?partNumber=10000")["x-amz-mp-parts-count"] == "10000")
        }
        let attributes = try await harness.root.get(
            "/bucket/key?attributes", ["x-amz-object-attributes": "ObjectParts", "x-amz-max-parts": "3"])
        #expect(attributes.text("ObjectParts/PartsCount") == "10000")
        #expect(attributes.text("ObjectParts/IsTruncated") == "true")
        #expect(try await harness.root.delete("/bucket/key").status == 204)
    }

    static let forgedETag = "0123456789abcdef0123456789abcdef"
}

extension GatewayHarness {
    /// Puts parts into the index that were never sent, since sending so many takes long.
    func forgeParts(
        _ count: Int, of upload: UploadID, in bucket: BucketID, round: UInt64 = 0
    ) async throws {
        let location = BlobLocation(
            length: 5 << 20, dataShards: 2, parityShards: 1, cellSize: 65_536, placementEpoch: 0, exceptions: [])
        for start in stride(from: 1, through: count, by: 1000) {
            var mutations: [Mutation] = []
            for number in start..<min(start + 1000, count + 1) {
                let blob = BlobName(epoch: gateway.commits.epoch, counter: UInt64(number) << 8 | round, random: 9)
                let segment = Segment(
                    blob: blob, offset: 0, storedLength: 5 << 20, plainLength: 5 << 20, reference: UInt64(number),
                    location: location)
                var part = PartRecord()
                (part.size, part.etag, part.segments) = (5 << 20, MultipartTests.forgedETag, [segment])
                part.checksum = StoredChecksum(
                    algorithm: "CRC64NVME", value: [UInt8](repeating: 1, count: 8), isComposite: false)
                mutations.append(.put(Keys.part(bucket, upload, number), part.encoded))
            }
            let id = TransactionID(epoch: .max, counter: round << 32 | UInt64(start))
            _ = try await index.memory.commit(Transaction(id: id, mutations: mutations))
        }
    }
}
