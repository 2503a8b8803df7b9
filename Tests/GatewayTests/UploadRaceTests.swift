import Metadata
import Primitives
import S3Model
import Simulation
import Testing

@testable import Gateway

/// What happens to an upload while it is completed or aborted.
@Suite("Races of uploads")
struct UploadRaceTests {
    private static let target = "/bucket/key"

    private struct Started {
        var harness: GatewayHarness
        var upload: String
        var etag: String
    }

    /// An upload with one part.
    private func started() async throws -> Started {
        let harness = try await GatewayHarness()
        try await harness.root.put("/bucket")
        let upload = try await harness.root.startUpload(Self.target)
        let etag = try await harness.root.putPart(Self.target, upload, 1, "first").etag ?? ""
        return Started(harness: harness, upload: upload, etag: etag)
    }

    /// Lets something happen between the moment at which the parts were read and the commit that takes them away.
    private func beforeTheEnd(_ harness: GatewayHarness, _ act: @escaping @Sendable () async -> Void) {
        harness.index.before(
            { call in
                guard case .commit(let transaction) = call else { return false }
                return transaction.mutations.contains { mutation in
                    if case .remove(let key) = mutation { key.count > 10 && key[9] == UInt8(ascii: "q") } else { false }
                }
            }, act)
    }

    @Test("A part that is replaced while the upload is completed is not lost and not published half")
    func replacedDuringComplete() async throws {
        let run = try await started()
        let (root, upload) = (run.harness.root, run.upload)
        beforeTheEnd(run.harness) {
            await recordingIssues {
                let answer = try await root.putPart(Self.target, upload, 1, "other")
                #expect(answer.status == 200)
            }
        }
        let refused = try await root.complete(Self.target, upload, [(1, run.etag)])
        #expect(refused.outcome == "400 InvalidPart")
        try await IndexLaws.check(run.harness)
        let other = try await root.putPart(Self.target, upload, 1, "other").etag
        #expect(try await root.complete(Self.target, upload, [(1, other)]).status == 200)
        _ = try await run.harness.collectTrash()
        #expect(try await root.get(Self.target).text == "other")
        try await IndexLaws.check(run.harness)
    }

    @Test("A part that is sent again while the upload is completed is the one that the object has")
    func repeatedDuringComplete() async throws {
        let run = try await started()
        let (root, upload) = (run.harness.root, run.upload)
        beforeTheEnd(run.harness) {
            await recordingIssues {
                let answer = try await root.putPart(Self.target, upload, 1, "first")
                #expect(answer.status == 200)
            }
        }
        #expect(try await root.complete(Self.target, upload, [(1, run.etag)]).status == 200)
        // What the first sending of the part left is removed, and nothing that the object has.
        _ = try await run.harness.collectTrash()
        #expect(try await root.get(Self.target).text == "first")
        try await IndexLaws.check(run.harness)
    }

    @Test("A part that comes while the upload is completed goes with it", arguments: [2, 5, 10_000])
    func addedDuringComplete(number: Int) async throws {
        let run = try await started()
        let (root, upload) = (run.harness.root, run.upload)
        beforeTheEnd(run.harness) {
            await recordingIssues {
                let answer = try await root.putPart(Self.target, upload, number, "late")
                #expect(answer.status == 200)
            }
        }
        #expect(try await root.complete(Self.target, upload, [(1, run.etag)]).status == 200)
        #expect(try await root.get(Self.target).text == "first")
        try await IndexLaws.check(run.harness)
        let late = try await root.putPart(Self.target, upload, number, "too late")
        #expect(late.outcome == "404 NoSuchUpload")
    }

    @Test("Whatever comes while the upload is aborted goes with it", arguments: [1, 2])
    func duringAbort(number: Int) async throws {
        let run = try await started()
        let (root, upload) = (run.harness.root, run.upload)
        beforeTheEnd(run.harness) {
            await recordingIssues {
                let answer = try await root.putPart(Self.target, upload, number, "late")
                #expect(answer.status == 200)
            }
        }
        #expect(try await root.delete("\(Self.target)?uploadId=\(upload)").status == 204)
        try await IndexLaws.check(run.harness)
        _ = try await run.harness.collectTrash()
        #expect(try await run.harness.storedBlobs() == 0)
    }

    @Test("Many parts are completed over as many others, and deleted")
    func manyParts() async throws {
        let harness = try await GatewayHarness()
        let root = harness.root
        try await root.put("/bucket")
        for round in 0..<2 {
            let upload = try await root.startUpload(Self.target)
            let parts = try await putParts(harness, upload, count: 1200, round: UInt64(round))
            let list = parts.map { ($0.number, Optional($0.etag)) }
            let completed = try await root.complete(Self.target, upload, list)
            #expect(completed.status == 200)
        }
        let head = try await root.head(Self.target)
        #expect(head["content-length"] == "1200000000000")
        #expect(try await root.delete(Self.target).status == 204)
        #expect(try await harness.rows("r").isEmpty)
    }

    @Test("The longest commit that there can be keeps the limits of the index")
    func longest() throws {
        // An object of 10,000 parts of five segments each takes the place of another one, and of as many parts that it
        // does not have.
        let upload = OpenUpload(
            id: UploadID(started: Timestamp(seconds: 0), random: 1), key: try #require(ObjectKey("key")),
            entry: Entry(key: [], value: [], version: 1), record: UploadRecord())
        let bucket = Bucket(
            name: "bucket", record: BucketRecord(id: BucketID(1), account: "1", created: Timestamp(seconds: 0)),
            entry: Entry(key: [], value: [], version: 1))
        let parts = (1...10_000).map { number in
            UploadedPart(
                entry: Entry(key: Keys.part(bucket.id, upload.id, number), value: [], version: 1), record: PartRecord())
        }
        var changes = Changes()
        changes.requireExactly(parts, of: upload, in: bucket)
        #expect(changes.conditions.count == 10_001)
        for part in parts { changes.remove(part.entry.key) }
        let segments = (0..<100_000).map { number in
            Self.segment(number: number / 5, part: number % 5, round: 1)
        }
        changes.release(segments)
        changes.put([0], [UInt8](repeating: 0, count: MetadataLimits.valueLength))
        for other in 0..<100 { changes.put([1, UInt8(other)], [UInt8](repeating: 0, count: 4096)) }
        let id = TransactionID(epoch: 1, counter: 1)
        try Transaction(id: id, conditions: changes.conditions, mutations: changes.mutations).checkLimits()
    }

    @Test("Parts whose records fill more than a page are listed, page by page, and all aborted")
    func longRecords() async throws {
        let harness = try await GatewayHarness()
        let root = harness.root
        try await root.put("/bucket")
        let upload = try await root.startUpload(Self.target)
        _ = try await putParts(harness, upload, count: 900, checksum: 12_000, round: 1)
        var (found, marker): ([String], String?) = ([], "0")
        while let after = marker {
            let page = try await root.get("\(Self.target)?uploadId=\(upload)&part-number-marker=\(after)")
            found += page.texts("Part/PartNumber")
            marker = page.text("IsTruncated") == "true" ? page.text("NextPartNumberMarker") : nil
        }
        #expect(found == (1...900).map(String.init))
        #expect(try await root.delete("\(Self.target)?uploadId=\(upload)").status == 204)
        try await IndexLaws.check(harness)
    }

    private static let length: Int64 = 1_000_000_000

    private static func segment(number: Int, part: Int, round: UInt64) -> Segment {
        Segment(
            blob: BlobName(epoch: 1, counter: UInt64(number) << 32 | UInt64(part), random: UInt32(round)), offset: 0,
            storedLength: length, plainLength: length,
            reference: round << 60 | UInt64(number) << 16 | UInt64(part),
            location: BlobLocation(
                length: length, dataShards: 2, parityShards: 1, cellSize: 1024, placementEpoch: 0, exceptions: []))
    }

    /// Puts the rows of parts whose bytes nobody wrote: a gigabyte each.
    private func putParts(
        _ harness: GatewayHarness, _ upload: String, count: Int, checksum: Int = 0, round: UInt64
    ) async throws -> [(number: Int, etag: String)] {
        let bucket = try await harness.gateway.buckets.bucket("bucket")
        let id = try #require(UploadID(upload))
        let key = try #require(ObjectKey("key"))
        var parts: [(number: Int, etag: String)] = []
        for start in stride(from: 1, through: count, by: 500) {
            var changes = Changes()
            for number in start..<min(start + 500, count + 1) {
                var part = PartRecord()
                part.etag = Hex.encode(Array(repeating: UInt8(truncatingIfNeeded: number), count: 16))
                part.size = Self.length
                part.checksum = StoredChecksum(
                    algorithm: "CRC32", value: [UInt8](repeating: 1, count: checksum), isComposite: false)
                let segment = Self.segment(number: number, part: 0, round: round)
                part.segments = [segment]
                changes.put(Keys.blob(segment.blob), BlobRecord(location: segment.location).encoded)
                changes.put(Keys.reference(segment.blob, segment.reference), ReferenceOwner.encoded(bucket.id, key))
                changes.put(Keys.part(bucket.id, id, number), part.encoded)
                parts.append((number, part.etag))
            }
            try await harness.write(changes.mutations)
        }
        return parts
    }
}
