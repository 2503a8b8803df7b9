import Gateway
import Metadata
import NIOCore
import Pools
import Primitives
import Storage
import Testing
import TidegateTesting
import Workers

/// What a manifest tells of objects and of where their shards are.
@Suite("Manifests for a life without the gateway")
struct ExportTests {
    private static func stores(_ harness: GatewayHarness) -> [UInt16: ExportedStore] {
        var stores: [UInt16: ExportedStore] = [:]
        for position in harness.memory.indices {
            stores[UInt16(position)] = ExportedStore(JSONObject([("kind", "memory")]), member: "path") { "at/\($0)" }
        }
        return stores
    }

    /// The lines, parsed.
    private func export(
        _ harness: GatewayHarness, _ selection: ObjectExport.Selection = .init()
    ) async throws -> [JSON] {
        let placements = [Placement(epoch: 0, stores: harness.memory.indices.map { UInt16($0) })]
        let export = ObjectExport(harness.index, placements, stores: Self.stores(harness))
        var bytes: [UInt8] = []
        let count = try await export.write(selection) { line throws(ExportError) in bytes += line }
        let lines = try bytes.split(separator: UInt8(ascii: "\n")).map { try JSON.parse(Array($0)) }
        #expect(count.versions == lines.count)
        #expect(count.bytes == lines.reduce(0) { $0 + ($1["size"]?.integerValue ?? 0) })
        #expect(bytes.last ?? UInt8(ascii: "\n") == UInt8(ascii: "\n"))
        return lines
    }

    /// Looks in every store whether it has the shards that lines name there, and returns how many that are.
    private func present(_ lines: [JSON], _ harness: GatewayHarness) async throws -> Int {
        var held: [Set<String>] = []
        for store in harness.memory {
            held.append(Set(try await store.blobs(after: nil, limit: 10_000).map { "at/\($0.name)" }))
        }
        var count = 0
        for segment in lines.flatMap({ $0["segments"]?.arrayValue ?? [] }) {
            for shard in segment["shards"]?.arrayValue ?? [] {
                let store = try #require(shard["store"]?.integerValue)
                let path = try #require(shard["path"]?.stringValue)
                #expect(held[Int(store)].contains(path), "\(path) is not in store \(store)")
                count += 1
            }
        }
        return count
    }

    private func texts(_ lines: [JSON], _ member: String) -> [String] { lines.map { $0[member]?.stringValue ?? "" } }

    @Test("Every version of every key is told of once, with shards that are there")
    func versions() async throws {
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled")
        let keys = ["a", "a/b", "a%00b", "z%0A", "%C3%A9"]
        for key in keys {
            try await harness.root.put("/bucket/\(key)", "first")
            try await harness.root.put("/bucket/\(key)", Content([UInt8](repeating: 5, count: 300_000)))
        }
        try await harness.root.delete("/bucket/a")
        try await harness.root.put("/bucket/empty")
        let lines = try await export(harness)
        #expect(lines.count == 2 * keys.count + 2)
        #expect(Set(texts(lines, "versionId")).count == lines.count)
        #expect(Set(texts(lines, "key")) == ["a", "a/b", "a\0b", "z\n", "\u{e9}", "empty"])
        #expect(lines.filter { $0["current"]?.boolValue == true }.count == keys.count + 1)
        #expect(texts(lines.filter { $0["deleteMarker"]?.boolValue == true }, "key") == ["a"])
        let listed = try await harness.root.get("/bucket?versions&encoding-type=url")
        let ids = listed.texts("Version/VersionId") + listed.texts("DeleteMarker/VersionId")
        #expect(Set(ids) == Set(texts(lines, "versionId")))
        // Three shards of each of the long ones, and two copies of each pack.
        #expect(try await present(lines, harness) == keys.count * 5)
    }

    @Test("A selection takes the keys that begin so, in every room, and no bucket that is not there")
    func selection() async throws {
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled")
        try await harness.root.put("/other")
        for key in ["x", "x%00y", "xy", "y"] {
            for bucket in ["bucket", "bucket", "other"] { try await harness.root.put("/\(bucket)/\(key)", "a") }
        }
        try await harness.root.delete("/bucket/xy")
        let some = try await export(harness, .init(buckets: ["bucket"], prefix: Array("x".utf8)))
        #expect(texts(some, "key").sorted() == ["x", "x", "x\0y", "x\0y", "xy", "xy", "xy"])
        #expect(Set(texts(some, "bucket")) == ["bucket"])
        #expect(try await export(harness, .init(prefix: [UInt8(ascii: "x"), 0])).count == 3)
        #expect(try await export(harness).count == 13)
        await #expect(throws: ExportError.self) { try await export(harness, .init(buckets: ["never"])) }
    }

    @Test("Many parts, which stand apart, are told in their order")
    func parts() async throws {
        let harness = try await GatewayHarness.withBucket()
        let text = try await harness.root.startUpload("/bucket/key", ["x-amz-meta-colour": "blue"])
        try await harness.forgeParts(1000, of: try #require(UploadID(text)), in: try await harness.bucketID())
        let parts = (1...1000).map { ($0, Optional(MultipartTests.forgedETag)) }
        #expect(try await harness.root.complete("/bucket/key", text, parts).status == 200)
        let line = try #require(try await export(harness).first)
        #expect(line["metadata"]?["colour"]?.stringValue == "blue")
        #expect(line["parts"]?.arrayValue?.map { $0["number"]?.integerValue ?? 0 } == (1...1000).map { Int64($0) })
        let blobs = try #require(line["segments"]?.arrayValue).map { $0["blob"]?.stringValue ?? "" }
        #expect(blobs.count == 1000 && blobs == blobs.sorted())
        #expect(line["etag"]?.stringValue?.utf8.suffix(5).elementsEqual("-1000".utf8) == true)
    }

    @Test("What a repair put elsewhere is told of where it is now, and what no store has is left out")
    func moved() async throws {
        let harness = try await GatewayHarness.withBucket(packs: false)
        try await harness.root.put("/bucket/key", Content([UInt8](repeating: 1, count: 9000)))
        let row = try #require(try await harness.rows("b").first)
        let name = try #require(Keys.blobName(row.key))
        var location = try BlobRecord(encoded: row.value).location
        location.exceptions = [
            BlobLocation.Exception(index: 0, store: 2, attempt: 7),
            BlobLocation.Exception(index: 1, store: nil, attempt: 0),
            // A position that there is not.
            BlobLocation.Exception(index: 2, store: 9, attempt: 0),
        ]
        try await harness.write([.put(row.key, BlobRecord(location: location).encoded)])
        let segment = try #require(try await export(harness).first?["segments"]?.arrayValue?.first)
        let shards = try #require(segment["shards"]?.arrayValue)
        #expect(shards.map { $0["path"]?.stringValue ?? "" } == ["at/\(name.shard(0, attempt: 7))"])
        #expect(shards.first?["store"]?.integerValue == 2)
        #expect(segment["blobLength"]?.integerValue == 9000 && segment["dataShards"]?.integerValue == 2)
    }

    @Test("What the index holds and no record is, is named")
    func malformed() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "a")
        let key = Keys.live(try await harness.bucketID(), try #require(ObjectKey("key")))
        try await harness.write([.put(key, [0xFF])])
        await #expect { try await export(harness) } throws: { error in
            guard case ExportError.malformed(key)? = error as? ExportError else { return false }
            return true
        }
    }

    @Test("The first line tells of the deployment and its stores by their positions")
    func head() throws {
        let store = ExportedStore(JSONObject([("kind", "directory"), ("directory", "/a")]), member: "path") { "\($0)" }
        let head = ExportHead(
            deployment: [UInt8](repeating: 7, count: 16), commit: 9, created: Timestamp(nanoseconds: 0),
            stores: [3: store, 0: store])
        let line = try JSON.parse(head.line)
        #expect(line["format"]?.stringValue == "tidegate-manifest" && line["version"]?.integerValue == 1)
        #expect(line["deployment"]?.stringValue == String(repeating: "07", count: 16))
        #expect(line["stores"]?.arrayValue?.map { $0["position"]?.integerValue ?? -1 } == [0, 3])
        #expect(!head.line.contains(UInt8(ascii: "\n")))
    }
}
