import Metadata
import Primitives
import Testing
import TidegateTesting
import Workers

@Suite struct UploadCollectorTests {
    private func collector(_ harness: WorkerHarness) -> UploadCollector {
        UploadCollector(commits: harness.commits, environment: harness.environment, age: .seconds(1000))
    }

    private func put(_ bucket: UInt64, _ harness: WorkerHarness) async throws {
        let record = BucketRecord(id: BucketID(bucket), account: "a", created: harness.environment.now())
        try await harness.commit([.put(Keys.bucket("bucket-\(bucket)"), record.encoded)])
    }

    /// An upload that was completed so many seconds ago, or is open where nil.
    private func upload(_ bucket: UInt64, _ number: UInt64, completed age: Int?, _ harness: WorkerHarness) throws -> (
        Key, UploadRecord
    ) {
        let now = harness.environment.now()
        var record = UploadRecord()
        record.started = Timestamp(seconds: 1)
        if let age {
            record.state = .completed
            record.result = UploadRecord.Result(
                etag: "e", uid: 1, isNull: false, checksum: nil, completed: now + .seconds(-age))
        }
        let id = UploadID(started: record.started, random: number)
        return (Keys.upload(BucketID(bucket), try #require(ObjectKey("key")), id), record)
    }

    @Test func tombstonesGoOnceTheyAreOldAndOpenUploadsNever() async throws {
        let harness = try await WorkerHarness()
        var kept: [Key] = []
        for bucket in UInt64(1)...3 {
            try await put(bucket, harness)
            for (number, age) in [nil, 0, 999, 1000, 1001, 100_000].enumerated() {
                let (key, record) = try upload(bucket, UInt64(number), completed: age, harness)
                try await harness.commit([.put(key, record.encoded)])
                if age ?? 0 <= 1000 { kept.append(key) }
            }
            let (key, _) = try upload(bucket, 99, completed: nil, harness)
            try await harness.commit([.put(key, [0xff])])
            kept.append(key)
        }
        #expect(try await collector(harness).pass() == 6)
        for key in kept { #expect(try await harness.value(key) != nil) }
        #expect(try await collector(harness).pass() == 0)
        harness.environment.advance(by: .seconds(1))
        #expect(try await collector(harness).pass() == 3)
        harness.environment.advance(by: .seconds(100_000))
        #expect(try await collector(harness).pass() == 6)
        #expect(try await harness.rows(.prefix(Keys.room(BucketID(2), "u"))).count == 2)
    }

    @Test func manyTombstonesGoPageByPage() async throws {
        let harness = try await WorkerHarness()
        try await put(1, harness)
        for number in UInt64(0)..<1201 {
            let (key, record) = try upload(1, number, completed: number == 700 ? nil : 5000, harness)
            try await harness.commit([.put(key, record.encoded)])
        }
        #expect(try await collector(harness).pass() == 1200)
        #expect(try await harness.rows(.prefix(Keys.room(BucketID(1), "u"))).count == 1)
    }

    @Test func aTombstoneThatChangesMeanwhileIsLookedAtAgain() async throws {
        let index = MemoryIndex()
        let watched = WatchedIndex(index)
        let harness = try await WorkerHarness(index: index, watched: watched)
        try await put(1, harness)
        let (old, record) = try upload(1, 1, completed: 5000, harness)
        let (fresh, changed) = try upload(1, 2, completed: 5000, harness)
        try await harness.commit([.put(old, record.encoded), .put(fresh, changed.encoded)])
        var renewed = changed
        renewed.result?.completed = harness.environment.now()
        let value = renewed.encoded
        watched.once(.prefix(Keys.room(BucketID(1), "u"))) { (_) async throws(MetadataError) in
            let id = TransactionID(epoch: .max, counter: .max)
            _ = try await index.commit(Transaction(id: id, mutations: [.put(fresh, value)]))
        }
        #expect(try await collector(harness).pass() == 0)
        #expect(try await collector(harness).pass() == 1)
        #expect(try await harness.value(fresh) == value)
    }

    @Test func aBucketThatCannotBeReadIsNamed() async throws {
        let harness = try await WorkerHarness()
        try await harness.commit([.put(Keys.bucket("broken"), [0xff])])
        do throws(WorkerError) {
            _ = try await collector(harness).pass()
            Issue.record("the pass went on")
        } catch {
            guard case .malformed(Keys.bucket("broken")) = error else { throw error }
        }
    }

    @Test func aProcessThatWasReplacedForgetsNothing() async throws {
        let harness = try await WorkerHarness()
        try await put(1, harness)
        let (key, record) = try upload(1, 1, completed: 5000, harness)
        try await harness.commit([.put(key, record.encoded)])
        _ = try await harness.restarted()
        await #expect(throws: WorkerError.self) { _ = try await collector(harness).pass() }
        #expect(try await harness.value(key) != nil)
    }
}
