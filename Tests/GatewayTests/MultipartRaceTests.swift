import Metadata
import Primitives
import S3Model
import Simulation
import Synchronization
import Testing

/// What happens to an upload while something else happens to it. Every race is run in the order that hurts most: the
/// other side comes after the reads and before the commit.
@Suite("Races of multipart uploads")
struct MultipartRaceTests {
    /// What the other side of a race was answered.
    private final class FirstAnswer: Sendable {
        private let received = Mutex<Received?>(nil)

        var answer: Received? { received.withLock { $0 } }

        func set(_ answer: Received?) { received.withLock { $0 = answer } }
    }

    private struct Open {
        var harness: GatewayHarness
        var upload: String
        var etag: String?
        var row: Key
        var live: Key
        var part: Key
    }

    private func open() async throws -> Open {
        let harness = try await GatewayHarness.withBucket()
        let upload = try await harness.root.startUpload("/bucket/key")
        let part = try await harness.root.putPart("/bucket/key", upload, 1, "part")
        let (bucket, key) = (try await harness.bucketID(), try #require(ObjectKey("key")))
        let id = try #require(UploadID(upload))
        return Open(
            harness: harness, upload: upload, etag: part.etag, row: Keys.upload(bucket, key, id),
            live: Keys.live(bucket, key), part: Keys.part(bucket, id, 1))
    }

    @Test("An abort that is faster than the completion wins, and the other way round")
    func abortAndComplete() async throws {
        let open = try await open()
        open.harness.index.beforeCommit(of: open.live) {
            let aborted = try? await open.harness.root.delete("/bucket/key?uploadId=\(open.upload)")
            #expect(aborted?.status == 204)
        }
        let completed = try await open.harness.root.complete("/bucket/key", open.upload, [(1, open.etag)])
        #expect(completed.outcome == "404 NoSuchUpload")
        #expect(try await open.harness.root.head("/bucket/key").status == 404)
        try await IndexLaws.check(open.harness)

        let other = try await self.open()
        other.harness.index.beforeCommit(of: other.row) {
            let completed = try? await other.harness.root.complete("/bucket/key", other.upload, [(1, other.etag)])
            #expect(completed?.status == 200)
        }
        let aborted = try await other.harness.root.delete("/bucket/key?uploadId=\(other.upload)")
        #expect(aborted.outcome == "404 NoSuchUpload")
        #expect(try await other.harness.root.get("/bucket/key").text == "part")
        try await IndexLaws.check(other.harness)
    }

    @Test("A part that is replaced during the completion makes no object of bytes that were given up")
    func replaceAndComplete() async throws {
        let open = try await open()
        open.harness.index.beforeCommit(of: open.live) {
            let replaced = try? await open.harness.root.putPart("/bucket/key", open.upload, 1, "other")
            #expect(replaced?.status == 200)
        }
        let completed = try await open.harness.root.complete("/bucket/key", open.upload, [(1, open.etag)])
        #expect(completed.outcome == "400 InvalidPart")
        #expect(try await open.harness.root.head("/bucket/key").status == 404)
        try await IndexLaws.check(open.harness)
    }

    @Test("A part that comes during the completion is not left over")
    func addAndComplete() async throws {
        let open = try await open()
        open.harness.index.beforeCommit(of: open.live) {
            let added = try? await open.harness.root.putPart("/bucket/key", open.upload, 2, "other")
            #expect(added?.status == 200)
        }
        #expect(try await open.harness.root.complete("/bucket/key", open.upload, [(1, open.etag)]).status == 200)
        #expect(try await open.harness.root.get("/bucket/key").text == "part")
        try await IndexLaws.check(open.harness)
    }

    @Test("A part that comes, or is replaced, during the abort is not left over", arguments: [1, 2])
    func partAndAbort(_ number: Int) async throws {
        let open = try await open()
        open.harness.index.beforeCommit(of: open.row) {
            let added = try? await open.harness.root.putPart("/bucket/key", open.upload, number, "other")
            #expect(added?.status == 200)
        }
        #expect(try await open.harness.root.delete("/bucket/key?uploadId=\(open.upload)").status == 204)
        try await IndexLaws.check(open.harness)
    }

    @Test("A part whose upload ends before it is stored becomes nothing", arguments: [true, false])
    func endedUpload(_ completes: Bool) async throws {
        let open = try await open()
        open.harness.index.beforeCommit(of: open.part) {
            let target = "/bucket/key?uploadId=\(open.upload)"
            let ended =
                completes
                ? try? await open.harness.root.complete("/bucket/key", open.upload, [(1, open.etag)])
                : try? await open.harness.root.delete(target)
            #expect(ended?.status == (completes ? 200 : 204))
        }
        let late = try await open.harness.root.putPart("/bucket/key", open.upload, 1, "late")
        #expect(late.outcome == "404 NoSuchUpload")
        #expect(try await open.harness.root.head("/bucket/key").status == (completes ? 200 : 404))
        try await IndexLaws.check(open.harness)
    }

    @Test("16 completions at once all give the one answer")
    func completions() async throws {
        let open = try await open()
        let bodies = try await withThrowingTaskGroup(of: Received.self) { group in
            for _ in 0..<16 {
                group.addTask { try await open.harness.root.complete("/bucket/key", open.upload, [(1, open.etag)]) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(bodies.allSatisfy { $0.status == 200 })
        #expect(Set(bodies.map(\.body)).count == 1)
        try await IndexLaws.check(open.harness)
    }

    @Test("A completion that another overtakes between its looks gives the other's answer", arguments: [false, true])
    func overtaken(_ isConditional: Bool) async throws {
        let open = try await open()
        let conditions: HeaderFields = isConditional ? ["if-none-match": "*"] : [:]
        let first = FirstAnswer()
        // The other comes before the parts are looked at, or before the object is that must not be there.
        open.harness.index.before(
            { call in
                switch call {
                case .scan: !isConditional
                case .values(let keys): isConditional && keys.contains(open.live)
                case .commit: false
                }
            },
            {
                let other = try? await open.harness.root.complete("/bucket/key", open.upload, [(1, open.etag)])
                first.set(other)
            })
        let late = try await open.harness.root.complete("/bucket/key", open.upload, [(1, open.etag)], conditions)
        #expect(late.status == 200)
        #expect(first.answer?.status == 200)
        #expect(first.answer?.body == late.body)
        try await IndexLaws.check(open.harness)
    }

    @Test("Parts of one number sent at once: one of them is there")
    func sameNumber() async throws {
        let open = try await open()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<16 {
                group.addTask {
                    let stored = try await open.harness.root.putPart("/bucket/key", open.upload, 1, "writer \(writer)")
                    #expect(stored.status == 200)
                }
            }
            try await group.waitForAll()
        }
        let listed = try await open.harness.root.get("/bucket/key?uploadId=\(open.upload)")
        let etag = listed.text("Part/ETag")
        #expect(try await open.harness.root.complete("/bucket/key", open.upload, [(1, etag)]).status == 200)
        #expect(try await open.harness.root.get("/bucket/key").text.hasPrefix("writer "))
        try await IndexLaws.check(open.harness)
    }

    @Test("A bucket that is deleted during a write takes nothing")
    func deletedBucket() async throws {
        let harness = try await GatewayHarness.withBucket()
        let bucket = try await harness.bucketID()
        let key = try #require(ObjectKey("key"))
        harness.index.beforeCommit(of: Keys.live(bucket, key)) {
            #expect((try? await harness.root.delete("/bucket"))?.status == 204)
        }
        #expect(try await harness.root.put("/bucket/key", "x").outcome == "404 NoSuchBucket")
        #expect(try await harness.contents().filter { $0.key.first == 0x02 }.isEmpty)
        // Another bucket of the same name is another bucket.
        try await harness.root.put("/bucket")
        let other = try await harness.bucketID()
        harness.index.beforeCommit(of: Keys.live(other, key)) {
            #expect((try? await harness.root.delete("/bucket"))?.status == 204)
            #expect((try? await harness.root.put("/bucket"))?.status == 200)
        }
        #expect(try await harness.root.put("/bucket/key", "x").outcome == "404 NoSuchBucket")
        #expect(try await harness.root.get("/bucket").texts("Contents/Key").isEmpty)
        try await IndexLaws.check(harness)
    }
}
