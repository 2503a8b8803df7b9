import Cryptography
import Metadata
import NIOCore
import Primitives
import Simulation
import Storage
import Synchronization
import Testing
import XML

/// PUT, GET, HEAD and DELETE of objects.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html> and its neighbours.
@Suite("Objects")
struct ObjectTests {
    @Test("What was put is got, with its ETag, type and time")
    func roundTrip() async throws {
        let harness = try await GatewayHarness.withBucket()
        let stored = try await harness.root.put("/bucket/key", "content", ["content-type": "text/plain"])
        #expect(stored.status == 200)
        #expect(stored.etag == "\"9a0364b9e99bb480dd25e1f0284c8555\"")
        #expect(stored["x-amz-checksum-crc64nvme"] != nil)
        #expect(stored["x-amz-checksum-type"] == "FULL_OBJECT")
        harness.advance(by: .seconds(60))
        let got = try await harness.root.get("/bucket/key")
        #expect(got.status == 200)
        #expect(got.text == "content")
        #expect(got.etag == stored.etag)
        #expect(got["content-length"] == "7")
        #expect(got["content-type"] == "text/plain")
        #expect(got["accept-ranges"] == "bytes")
        #expect(got["last-modified"] == "Tue, 14 Nov 2023 22:13:20 GMT")
        #expect(got.versionID == nil, "a bucket that was never versioned shows no version ids")
        let head = try await harness.root.head("/bucket/key")
        #expect(head.status == 200)
        for name in ["etag", "content-length", "content-type", "last-modified", "accept-ranges"] {
            #expect(head[name] == got[name], "\(name)")
        }
        #expect(got["x-amz-request-id"]?.utf8.count == 16)
        #expect(got["x-amz-request-id"] != head["x-amz-request-id"])
        try await IndexLaws.check(harness)
    }

    /// Around the packer's bound, cells, stripes and the pieces in which bodies come.
    private static let lengths = [0, 1, 1023, 2048, 2049, 65_536, 131_072, 131_073, 1_500_000]

    @Test(
        "Bodies of every length come back bit for bit, in either geometry", arguments: [(2, 1), (4, 2)], [true, false])
    func lengths(_ geometry: (Int, Int), _ packs: Bool) async throws {
        let harness = try await GatewayHarness(
            data: geometry.0, parity: geometry.1, cell: 1024, packs: packs, seed: UInt64(geometry.0))
        try await harness.root.put("/bucket")
        for length in Self.lengths {
            let bytes = harness.environment.randomBytes(length)
            let stored = try await harness.root.send(
                "PUT", "/bucket/\(length)", [:], Content(bytes), payload: .unsigned)
            #expect(stored.etag == "\"\(Hex.encode(Digest.hash(.md5, bytes)))\"")
            let got = try await harness.root.get("/bucket/\(length)")
            #expect(got.status == 200)
            #expect(got.body == bytes, "\(length)")
            #expect(got["content-length"] == String(length))
        }
        try await IndexLaws.check(harness)
    }

    @Test("Every payload mode stores the same bytes", arguments: S3Client.Payload.allCases)
    func payloads(_ payload: S3Client.Payload) async throws {
        let harness = try await GatewayHarness.withBucket()
        let bytes = harness.environment.randomBytes(200_000)
        let headers: HeaderFields = ["content-encoding": "gzip"]
        let stored = try await harness.root.send("PUT", "/bucket/key", headers, Content(bytes), payload: payload)
        #expect(stored.status == 200)
        let got = try await harness.root.get("/bucket/key")
        #expect(got.body == bytes)
        #expect(got["content-encoding"] == "gzip", "aws-chunked is how bytes travel, and is not stored")
    }

    @Test("A later write replaces an earlier one, and only one object is counted")
    func overwrite() async throws {
        let harness = try await GatewayHarness.withBucket()
        for number in 0..<5 { try await harness.root.put("/bucket/key", "version \(number)") }
        #expect(try await harness.root.get("/bucket/key").text == "version 4")
        try await IndexLaws.check(harness)
    }

    @Test("Headers and metadata come back as they were given")
    func attributes() async throws {
        let harness = try await GatewayHarness.withBucket()
        let headers: HeaderFields = [
            "content-type": "text/x", "cache-control": "no-store", "content-disposition": "attachment; filename=\"ü\"",
            "content-encoding": "gzip", "content-language": "de", "expires": "Thu, 01 Dec 2044 16:00:00 GMT",
            "x-amz-website-redirect-location": "/other", "x-amz-meta-One": "1", "x-amz-meta-two": "zwei ü",
            "x-amz-storage-class": "STANDARD_IA",
        ]
        var lower = HeaderFields()
        for field in headers.fields { lower.append(field.name.lowercased(), field.value) }
        #expect(try await harness.root.put("/bucket/key", "x", lower).status == 200)
        for answer in [try await harness.root.get("/bucket/key"), try await harness.root.head("/bucket/key")] {
            for field in lower.fields { #expect(answer[field.name] == field.value, "\(field.name)") }
        }
        try await harness.root.put("/bucket/plain", "x", ["x-amz-storage-class": "STANDARD"])
        let plain = try await harness.root.head("/bucket/plain")
        #expect(plain["content-type"] == "binary/octet-stream")
        #expect(plain["x-amz-storage-class"] == nil)
        #expect(plain.fields.fields.allSatisfy { !$0.name.hasPrefix("x-amz-meta-") })
    }

    @Test("A metadata name that comes twice is one list")
    func repeatedMetadata() async throws {
        let harness = try await GatewayHarness.withBucket()
        var headers = HeaderFields()
        for value in ["1", "2"] { headers.append("x-amz-meta-a", value) }
        #expect(try await harness.root.put("/bucket/key", "x", headers).status == 200)
        #expect(try await harness.root.head("/bucket/key")["x-amz-meta-a"] == "1,2")
    }

    @Test("User metadata has 2 KiB, names and values together", arguments: [(2048, 200), (2049, 400)])
    func metadataLimit(_ size: Int, _ status: Int) async throws {
        let harness = try await GatewayHarness.withBucket()
        let headers: HeaderFields = [
            "x-amz-meta-a": String(repeating: "v", count: 1000),
            "x-amz-meta-bc": String(repeating: "w", count: size - 1003),
        ]
        let stored = try await harness.root.put("/bucket/key", "x", headers)
        #expect(stored.status == status)
        guard status == 400 else { return }
        #expect(stored.code == "MetadataTooLarge")
        #expect(stored.text("Size") == "2049")
        #expect(stored.text("MaxSizeAllowed") == "2048")
        #expect(try await harness.root.head("/bucket/key").status == 404)
    }

    @Test("What is not there is not found, and HEAD says so without a body")
    func missing() async throws {
        let harness = try await GatewayHarness.withBucket()
        let got = try await harness.root.get("/bucket/key")
        #expect(got.outcome == "404 NoSuchKey")
        #expect(got.text("Key") == "key")
        #expect(got.text("Resource") == "/bucket/key")
        #expect(got.text("RequestId") == got["x-amz-request-id"])
        #expect(try await harness.root.head("/bucket/key").status == 404)
        for target in ["/other/key", "/other/", "/other?location"] {
            let got = try await harness.root.get(target)
            #expect(got.outcome == "404 NoSuchBucket")
            #expect(got.text("BucketName") == "other")
        }
        #expect(try await harness.root.put("/other/key", "x").outcome == "404 NoSuchBucket")
    }

    @Test("DELETE answers 204 whether there was an object or not, and leaves nothing")
    func delete() async throws {
        let harness = try await GatewayHarness.withBucket()
        let before = try await harness.contents()
        for size in [3, 200_000] {
            try await harness.root.put("/bucket/key", Content([UInt8](repeating: 1, count: size)))
            for _ in 0..<2 {
                let deleted = try await harness.root.delete("/bucket/key")
                #expect(deleted.status == 204)
                #expect(deleted["x-amz-delete-marker"] == nil)
            }
            #expect(try await harness.root.get("/bucket/key").outcome == "404 NoSuchKey")
        }
        let visible = try await harness.contents().filter { $0.key.first == 0x02 && $0.value.contains { $0 != 0 } }
        #expect(visible.isEmpty, "only counters of nothing are left")
        #expect(before.allSatisfy { $0.key.first != 0x02 })
        try await IndexLaws.check(harness)
    }

    @Test("What a write says of its length is held against the limits before a byte is read")
    func announcedLength() async throws {
        let harness = try await GatewayHarness.withBucket()
        let cases: [(String?, String)] = [
            (nil, "411 MissingContentLength"), ("5368709121", "400 EntityTooLarge"), ("-1", "400 InvalidArgument"),
            ("1e3", "400 InvalidArgument"), ("99999999999999999999", "400 EntityTooLarge"),
        ]
        for (length, outcome) in cases {
            var (head, _) = try harness.root.signed("PUT", "/bucket/key", [:], "", payload: .unsigned)
            head.fields["content-length"] = length
            let source = CountingSource(buffers: [ByteBuffer(string: "content")])
            let refused = await harness.handle(head, Body(length: nil, source: source))
            #expect(refused.outcome == outcome)
            #expect(source.calls == 0, "the body of a refused request was read")
        }
        #expect(try await harness.root.head("/bucket/key").status == 404)
    }

    @Test("A refused write never asks for its body")
    func unreadBodies() async throws {
        let harness = try await GatewayHarness.withBucket(users: [GatewayHarness.User(name: "nobody")])
        try await harness.root.put("/bucket/there", "x")
        let cases: [(S3Client, String, HeaderFields, String)] = [
            (harness.client("nobody"), "/bucket/key", [:], "403 AccessDenied"),
            (harness.anonymous, "/bucket/key", [:], "403 AccessDenied"),
            (harness.root, "/none/key", [:], "404 NoSuchBucket"),
            (harness.root, "/bucket/there", ["if-none-match": "*"], "412 PreconditionFailed"),
            (harness.root, "/bucket/key", ["if-match": "\"x\""], "404 NoSuchKey"),
            (harness.root, "/bucket/key", ["x-amz-acl": "public-read"], "400 AccessControlListNotSupported"),
            (harness.root, "/bucket/key", ["x-amz-expected-bucket-owner": "999999999999"], "403 AccessDenied"),
            (harness.root, "/bucket/key?partNumber=1&uploadId=none", [:], "404 NoSuchUpload"),
        ]
        for (client, target, headers, outcome) in cases {
            var (head, _) = try client.signed("PUT", target, headers, "", payload: .unsigned)
            head.fields["content-length"] = "7"
            let source = CountingSource(buffers: [ByteBuffer(string: "content")])
            let refused = await harness.handle(head, Body(length: 7, source: source))
            #expect(refused.outcome == outcome)
            #expect(source.calls == 0, "\(target) \(headers)")
        }
    }

    @Test("A client that goes away during a read gets a reset connection, and the record says so")
    func clientGone() async throws {
        let harness = try await GatewayHarness.withBucket()
        let bytes = harness.environment.randomBytes(500_000)
        try await harness.root.put("/bucket/key", Content(bytes))
        let (head, _) = try harness.root.signed("GET", "/bucket/key")
        let got = await harness.handle(head, .empty, room: 100_000)
        #expect(got.isAborted)
        #expect(bytes.starts(with: got.body))
        let record = try #require(try await harness.records().first { $0.name == "GetObject" })
        #expect(record.json["additionalEventData"]?["aborted"]?.boolValue == true)
    }

    @Test("Storage classes are S3's")
    func storageClass() async throws {
        let harness = try await GatewayHarness.withBucket()
        let refused = try await harness.root.put("/bucket/key", "x", ["x-amz-storage-class": "FAST"])
        #expect(refused.outcome == "400 InvalidStorageClass")
        #expect(refused.text("StorageClassRequested") == "FAST")
    }

    @Test("GetObjectAttributes tells what it is asked for, and no more")
    func objectAttributes() async throws {
        let harness = try await GatewayHarness.withBucket()
        let stored = try await harness.root.put("/bucket/key", "content")
        let all: HeaderFields = ["x-amz-object-attributes": "ETag,Checksum,ObjectParts,StorageClass,ObjectSize"]
        let got = try await harness.root.get("/bucket/key?attributes", all)
        #expect(got.root == "GetObjectAttributesResponse")
        #expect(got.text("ETag") == "9a0364b9e99bb480dd25e1f0284c8555", "without quotes, unlike everywhere else")
        #expect(got.text("Checksum/ChecksumCRC64NVME") == stored["x-amz-checksum-crc64nvme"])
        #expect(got.text("Checksum/ChecksumType") == "FULL_OBJECT")
        #expect(got.text("StorageClass") == "STANDARD")
        #expect(got.text("ObjectSize") == "7")
        #expect(got.elements("ObjectParts").isEmpty, "it was not uploaded in parts")
        let one = try await harness.root.get("/bucket/key?attributes", ["x-amz-object-attributes": "ObjectSize"])
        #expect(one.xml?.children.map(\.name) == ["ObjectSize"])
        for value in [nil, "", "Size"] {
            var headers = HeaderFields()
            headers["x-amz-object-attributes"] = value
            #expect(try await harness.root.get("/bucket/key?attributes", headers).status == 400, "\(value ?? "nil")")
        }
    }
}

/// A source that tells how often it was asked.
final class CountingSource: BodySource {
    private let state: Mutex<(calls: Int, buffers: [ByteBuffer])>

    init(buffers: [ByteBuffer]) {
        state = Mutex((0, buffers))
    }

    var calls: Int { state.withLock { $0.calls } }

    func next() async throws(BodyError) -> ByteBuffer? {
        state.withLock { state in
            state.calls += 1
            return state.buffers.isEmpty ? nil : state.buffers.removeFirst()
        }
    }
}
