import Gateway
import Metadata
import Primitives
import Synchronization
import Testing

/// How much one request may make the server do.
@Suite("Bounds of work")
struct WorkBoundTests {
    @Test("A policy made to be slow decides over many keys like any other")
    func slowPolicy() async throws {
        let harness = try await GatewayHarness.withBucket()
        let pattern = "*" + String(repeating: "a", count: 15_000) + "b"
        let policy = Documents.policy(
            Documents.statement("Allow", "s3:DeleteObject", on: "bucket/*"),
            Documents.statement(
                "Deny", "s3:DeleteObject", on: "bucket/*", when: #"{"StringLike":{"aws:UserAgent":"\#(pattern)"}}"#))
        #expect(try await harness.root.put("/bucket?policy", policy).status == 204)
        let document = Documents.delete((0..<20).map { DeleteItem("key\($0)") })
        for (ending, element) in [("a", "Deleted"), ("b", "Error")] {
            let agent = String(repeating: "a", count: 29_999) + ending
            let answer = try await harness.anonymous.post(
                "/bucket?delete", document, ["content-md5": Documents.md5(document), "user-agent": agent])
            #expect(answer.texts("\(element)/Key").count == 20, "\(ending)")
        }
        // A record names what decided about its key, and not what did about all before it.
        let records = try await harness.records().filter { $0.name == "DeleteObjects" }
        #expect(records.count == 21, "the refused keys of a stranger share one")
        for record in records {
            #expect(record.json["additionalEventData"]?["statements"]?.arrayValue?.count == 1)
        }
    }

    @Test("DeleteObjects leaves the keys that are left where nobody waits any more, and records those that it did")
    func cancelledDeletion() async throws {
        let harness = try await GatewayHarness.withBucket()
        let keys = ["a", "b", "c", "d", "e"]
        for key in keys { try await harness.root.put("/bucket/\(key)", "x") }
        let (starts, start) = AsyncStream<Void>.makeStream()
        let deletion = Task {
            for await _ in starts { break }
            return try await harness.root.deleteAll("bucket", keys.map { DeleteItem($0) })
        }
        let second = Keys.live(try await harness.bucketID(), try #require(ObjectKey(Array("b".utf8))))
        harness.index.beforeCommit(of: second) { deletion.cancel() }
        start.yield()
        #expect(try await deletion.value.outcome == "400 RequestTimeout")
        #expect(try await harness.root.get("/bucket").texts("Contents/Key") == ["c", "d", "e"])
        let records = try await harness.records().filter { $0.name == "DeleteObjects" }
        #expect(records.compactMap(\.key) == ["a", "b"])
        #expect(records.compactMap(\.error) == ["RequestTimeout"] && records.count == 3)
    }

    @Test("Uploads that ended are passed over in large pages, however small the page that is asked for")
    func endedUploads() async throws {
        let harness = try await GatewayHarness.withBucket()
        for index in 0..<120 {
            let upload = try await harness.root.startUpload("/bucket/k\(index / 10)/\(index)")
            #expect(try await harness.root.delete("/bucket/k\(index / 10)/\(index)?uploadId=\(upload)").status == 204)
        }
        _ = try await harness.root.startUpload("/bucket/z/1")
        _ = try await harness.root.startUpload("/bucket/z/2")
        let room = Keys.room(try await harness.bucketID(), "u")
        let scans = Mutex(0)
        harness.index.before(
            { call in
                guard case .scan(let scan) = call, scan.range.lowerBound.key.starts(with: room) else { return false }
                scans.withLock { $0 += 1 }
                return false
            }, {})
        let first = try await harness.root.get("/bucket?uploads&max-uploads=1")
        #expect(first.texts("Upload/Key") == ["z/1"] && first.text("IsTruncated") == "true")
        #expect((1...3).contains(scans.withLock { $0 }))
        let rolled = try await harness.root.get("/bucket?uploads&max-uploads=1&delimiter=/")
        #expect(rolled.texts("CommonPrefixes/Prefix") == ["z/"] && rolled.text("IsTruncated") == "false")
    }

    @Test("Policies are remembered up to a number of bytes, so that many large ones do not fill the memory")
    func rememberedPolicies() async throws {
        let harness = try await GatewayHarness()
        let names = ["one", "two", "three"]
        let statement = Documents.statement("Deny", "s3:DeleteObject", on: "BUCKET/*")
        for name in names {
            try await harness.root.put("/\(name)")
            let policy = Documents.policy(statement.replacing("BUCKET", with: name))
            #expect(try await harness.root.put("/\(name)?policy", policy).status == 204)
        }
        let size = Documents.policy(statement).bytes.count + 10
        for (room, expected) in [(3, 2 * 3), (2, 2 * 5)] {
            let directory = BucketDirectory(index: harness.index, policyCapacity: room * size)
            let reads = Mutex(0)
            harness.index.before(
                { call in
                    if case .values = call { reads.withLock { $0 += 1 } }
                    return false
                }, {})
            // Where two have room, the third puts both out.
            for name in names + ["one", "two"] { _ = try await directory.bucket(name) }
            #expect(reads.withLock { $0 } == expected)
        }
    }
}
