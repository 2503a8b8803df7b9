import Cryptography
import Gateway
import Metadata
import NIOCore
import Primitives
import Simulation
import Storage
import Synchronization
import Testing

/// Objects of another service that are shown as they are, and moved into the pool.
@Suite("Adoption")
struct AdoptionTests {
    /// Another service, in memory.
    final class Elsewhere: ForeignObjects {
        let objects = Mutex<[[UInt8]: [UInt8]]>([:])
        let reads = Mutex(0)

        func read(
            _ place: ForeignPlace, range: Range<Int64>, into sink: inout any BodySink
        ) async throws(StorageError) {
            reads.withLock { $0 += 1 }
            guard let bytes = objects.withLock({ $0[place.key] }) else { throw .unavailable("it is gone") }
            guard range.upperBound <= bytes.count else { throw .unavailable("it is another one") }
            do throws(BodyError) {
                try await sink.write(ByteBuffer(bytes: bytes[Int(range.lowerBound)..<Int(range.upperBound)]))
            } catch {
                throw .sink(error)
            }
        }
    }

    private let elsewhere = Elsewhere()

    private func harness() async throws -> (GatewayHarness, Adoption) {
        let harness = try await GatewayHarness(foreign: elsewhere)
        try await harness.root.put("/bucket")
        let gateway = harness.gateway
        return (
            harness,
            Adoption(
                gateway.index, commits: gateway.commits, storage: gateway.storage, environment: gateway.environment,
                region: GatewayHarness.region)
        )
    }

    private func object(_ name: String, _ bytes: [UInt8], md5: Bool = true) throws -> AdoptedObject {
        let key = try #require(ObjectKey(name))
        elsewhere.objects.withLock { $0[key.bytes] = bytes }
        let etag = md5 ? Hex.encode(Digest.hash(.md5, bytes)) : "0123456789abcdef0123456789abcdef-2"
        return AdoptedObject(
            key: key, size: Int64(bytes.count), etag: etag, isMD5: md5, modified: Timestamp(seconds: 1_000_000),
            headers: ["content-type": "text/x"], metadata: ["colour": "green"],
            tags: [ObjectTag(key: "kind", value: "old")])
    }

    private func runs(_ adoption: Adoption) async throws -> [BlobName] {
        try await adoption.runs(of: 3, after: nil).runs
    }

    private static func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) } }

    @Test("An object is shown as it is, from where it is", arguments: [0, 10, 5000])
    func shown(length: Int) async throws {
        let (harness, adoption) = try await harness()
        let object = try object("a/b", Self.bytes(length))
        #expect(try await adoption.standing(of: object.key, in: "bucket", from: 3) == nil)
        #expect(try await adoption.show(object, in: "bucket", from: 3) == .shown)
        let answer = try await harness.root.get("/bucket/a/b")
        #expect(answer.status == 200 && answer.body == Self.bytes(length))
        #expect(answer.fields["etag"] == "\"\(object.etag)\"")
        #expect(answer.fields["content-type"] == "text/x" && answer.fields["x-amz-meta-colour"] == "green")
        #expect(answer.fields["last-modified"] == "Mon, 12 Jan 1970 13:46:40 GMT")
        #expect(answer.fields["x-amz-tagging-count"] == "1")
        #expect(try await harness.storedBlobs() == 0)
        #expect(try await runs(adoption).count == (length > 0 ? 1 : 0))
        // Of an empty object nothing tells where it came from, and nothing has to.
        let again: Adoption.Outcome = length > 0 ? .known : .passedOver
        #expect(try await adoption.show(object, in: "bucket", from: 3) == again)
        #expect(try await adoption.show(object, in: "bucket", from: 4) == .passedOver)
    }

    @Test("What the bucket has, or had and deleted with a marker, is passed over")
    func passedOver() async throws {
        let (harness, adoption) = try await harness()
        try await harness.root.put("/bucket/ours", "ours")
        _ = try await harness.root.setVersioning("bucket", "Enabled")
        try await harness.root.put("/bucket/deleted", "gone")
        try await harness.root.delete("/bucket/deleted")
        for name in ["ours", "deleted"] {
            #expect(try await adoption.show(try object(name, [1]), in: "bucket", from: 3) == .passedOver)
        }
        #expect(try await harness.root.get("/bucket/ours").body == Array("ours".utf8))
        #expect(try await harness.root.get("/bucket/deleted").status == 404)
        await #expect(throws: AdoptionError.self) {
            try await adoption.show(try object("x", [1]), in: "no-bucket", from: 3)
        }
    }

    @Test("Nothing is left of it in the index when it is deleted or replaced, and it stays where it was")
    func deleted() async throws {
        let (harness, adoption) = try await harness()
        for name in ["a", "b"] {
            _ = try await adoption.show(try object(name, Self.bytes(3000)), in: "bucket", from: 3)
        }
        #expect(try await runs(adoption).count == 2)
        #expect(try await harness.root.delete("/bucket/a").status == 204)
        #expect(try await harness.root.put("/bucket/b", "new").status == 200)
        #expect(try await runs(adoption).isEmpty)
        try await harness.collectTrash()
        #expect(try await harness.rows("t").isEmpty)
        #expect(try await harness.rows("r").count == 1)
        #expect(elsewhere.objects.withLock { $0.count } == 2)
    }

    @Test("A version that is not current any more is still read, and moved")
    func noncurrent() async throws {
        let (harness, adoption) = try await harness()
        _ = try await harness.root.setVersioning("bucket", "Enabled")
        _ = try await adoption.show(try object("key", Self.bytes(3000)), in: "bucket", from: 3)
        let id = try #require(try await harness.root.head("/bucket/key").fields["x-amz-version-id"])
        try await harness.root.put("/bucket/key", "newer")
        for _ in 0..<2 {
            let answer = try await harness.root.get("/bucket/key?versionId=\(id)")
            #expect(answer.body == Self.bytes(3000))
            for run in try await runs(adoption) { #expect(try await adoption.move(run) == 3000) }
            elsewhere.objects.withLock { $0 = [:] }
        }
        #expect(try await harness.root.get("/bucket/key").body == Array("newer".utf8))
    }

    @Test("It moves into the pool, and stays as it was", arguments: [10, 5000, 3 << 20], [true, false])
    func moved(length: Int, md5: Bool) async throws {
        let (harness, adoption) = try await harness()
        let object = try object("key", Self.bytes(length), md5: md5)
        _ = try await adoption.show(object, in: "bucket", from: 3)
        let before = try await harness.root.get("/bucket/key")
        let run = try #require(try await runs(adoption).first)
        #expect(try await adoption.move(run) == Int64(length))
        #expect(try await runs(adoption).isEmpty)
        #expect(try await harness.storedBlobs() == 1)
        elsewhere.objects.withLock { $0 = [:] }
        let after = try await harness.root.get("/bucket/key")
        #expect(after.body == before.body)
        for name in ["etag", "last-modified", "content-type", "x-amz-meta-colour", "x-amz-version-id"] {
            #expect(after.fields[name] == before.fields[name])
        }
        // What nothing refers to any more is no work.
        #expect(try await adoption.move(run) == nil)
        try await harness.root.delete("/bucket/key")
        try await harness.collectTrash()
        #expect(try await harness.storedBlobs() == 0)
    }

    @Test("Bytes that are not those of its ETag are not moved")
    func wrongBytes() async throws {
        let (harness, adoption) = try await harness()
        _ = try await adoption.show(try object("key", Self.bytes(5000)), in: "bucket", from: 3)
        elsewhere.objects.withLock { $0[Array("key".utf8)]?[77] ^= 1 }
        let run = try #require(try await runs(adoption).first)
        await #expect(throws: AdoptionError.self) { try await adoption.move(run) }
        elsewhere.objects.withLock { $0 = [:] }
        await #expect(throws: AdoptionError.self) { try await adoption.move(run) }
        #expect(try await runs(adoption) == [run])
        #expect(try await harness.root.get("/bucket/key").status == 503)
        #expect(try await harness.storedBlobs() == 0)
    }

    @Test("What is changed while it is moved is not lost")
    func race() async throws {
        let (harness, adoption) = try await harness()
        _ = try await adoption.show(try object("key", Self.bytes(5000)), in: "bucket", from: 3)
        let run = try #require(try await runs(adoption).first)
        harness.index.beforeCommit(of: Keys.foreign(run)) {
            await recordingIssues {
                try await harness.root.put("/bucket/key?tagging", Content(stringLiteral: Self.tagging))
            }
        }
        #expect(try await adoption.move(run) == 5000)
        #expect(try await harness.root.get("/bucket/key").body == Self.bytes(5000))
        #expect(try await harness.root.get("/bucket/key?tagging").text.contains("newer"))
    }

    private static let tagging = """
        <Tagging><TagSet><Tag><Key>newer</Key><Value>1</Value></Tag></TagSet></Tagging>
        """
}
