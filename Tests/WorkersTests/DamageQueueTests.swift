import Metadata
import Pools
import Primitives
import Testing
import TidegateTesting
import Workers

@Suite struct DamageQueueTests {
    private let bytes = [UInt8](repeating: 3, count: 100)

    private func damage(_ index: UInt8, _ kind: ShardDamage.Kind = .missing) -> ShardDamage {
        ShardDamage(index: index, store: nil, kind: kind, detail: "")
    }

    private func row(_ name: BlobName, _ harness: WorkerHarness) async throws -> DamagedRecord? {
        guard let value = try await harness.value(Keys.damaged(name)) else { return nil }
        return try DamagedRecord(encoded: value)
    }

    @Test func reportsOfABlobAreOneRow() async throws {
        let harness = try await WorkerHarness()
        let blob = try await harness.keep(bytes, counter: 1)
        let queue = DamageQueue(environment: harness.environment)
        queue.report(blob.name.shard(0), damage(0, .missing))
        queue.report(blob.name, damage(3, .corrupt))
        queue.report(blob.name, damage(3, .unavailable))
        queue.report(blob.name, damage(5, .unavailable))
        queue.report(blob.name, damage(64))
        #expect(queue.count == 1)
        #expect(try await queue.flush(harness.commits) == 1)
        #expect(queue.count == 0)
        let row = try #require(try await row(blob.name, harness))
        #expect(row.broken == 0b1001 && row.unreachable == 0b10_0000)
        #expect(row.reported == harness.environment.now() && row.notBefore == row.reported)
        #expect(row.shards == [0, 3, 5])
    }

    @Test func newDamageJoinsWhatIsKnownAndTheSameAgainWritesNothing() async throws {
        let harness = try await WorkerHarness()
        let blob = try await harness.keep(bytes, counter: 1)
        let queue = DamageQueue(environment: harness.environment, patience: .seconds(900))
        let began = harness.environment.now()
        queue.report(blob.name, damage(1, .unavailable))
        try await queue.flush(harness.commits)
        var row = try #require(try await row(blob.name, harness))
        #expect(row.notBefore == began + .seconds(900))
        harness.environment.advance(by: .seconds(100))
        for kind in [ShardDamage.Kind.unavailable, .missing] {
            queue.report(blob.name, damage(1, kind))
            #expect(try await queue.flush(harness.commits) == (kind == .missing ? 1 : 0))
        }
        // What is broken cannot wait for a store to come back.
        row = try #require(try await self.row(blob.name, harness))
        #expect(row.broken == 0b10 && row.reported == began && row.notBefore == began + .seconds(100))
        queue.report(blob.name, damage(1))
        #expect(try await queue.flush(harness.commits) == 0)
    }

    @Test func whatIsOnlyToMoveIsNotLostUntilItIs() async throws {
        let harness = try await WorkerHarness()
        let blob = try await harness.keep(bytes, counter: 1)
        let queue = DamageQueue(environment: harness.environment)
        queue.report(blob.name, damage(0, .crowded))
        queue.report(blob.name, damage(1, .corrupt))
        queue.report(blob.name, damage(2, .crowded))
        queue.report(blob.name, damage(2, .missing))
        try await queue.flush(harness.commits)
        var row = try #require(try await row(blob.name, harness))
        #expect(row.broken == 0b111 && row.misplaced == 0b1 && row.lost == 0b110)
        // What is lost is not found again by being said to lie badly; what lies badly may be lost later.
        queue.report(blob.name, damage(1, .crowded))
        queue.report(blob.name, damage(0, .missing))
        try await queue.flush(harness.commits)
        row = try #require(try await self.row(blob.name, harness))
        #expect(row.broken == 0b111 && row.misplaced == 0 && row.lost == 0b111)
    }

    @Test func blobsThatTheIndexDoesNotHaveGetNoRow() async throws {
        let harness = try await WorkerHarness()
        let queue = DamageQueue(environment: harness.environment)
        queue.report(BlobName(epoch: 1, counter: 1, random: 1), damage(1))
        #expect(try await queue.flush(harness.commits) == 0)
        #expect(try await harness.rows(Keys.blobs("d")).isEmpty)
    }

    @Test func noMoreBlobsWaitThanThereIsRoomFor() async throws {
        let harness = try await WorkerHarness()
        var blobs: [BlobLocator] = []
        for counter in 0..<5 { blobs.append(try await harness.keep(bytes, counter: UInt64(counter))) }
        let queue = DamageQueue(environment: harness.environment, capacity: 3)
        for index in UInt8(0)..<2 { for blob in blobs { queue.report(blob.name, damage(index)) } }
        #expect(queue.count == 3)
        #expect(try await queue.flush(harness.commits) == 3)
        for (position, blob) in blobs.enumerated() {
            #expect(try await row(blob.name, harness)?.broken == (position < 3 ? 0b11 : nil))
        }
    }

    @Test func whatCouldNotBeWrittenWaitsBesideWhatWasReportedMeanwhile() async throws {
        let index = MemoryIndex()
        let watched = WatchedIndex(index)
        let harness = try await WorkerHarness(index: index, watched: watched)
        let blobs = [try await harness.keep(bytes, counter: 1), try await harness.keep(bytes, counter: 2)]
        let queue = DamageQueue(environment: harness.environment, capacity: 2)
        for blob in blobs { queue.report(blob.name, damage(0)) }
        watched.once(Keys.blobs("d")) { (_) async throws(MetadataError) in
            queue.report(blobs[0].name, ShardDamage(index: 1, store: nil, kind: .corrupt, detail: ""))
            queue.report(
                BlobName(epoch: 1, counter: 9, random: 9), ShardDamage(index: 1, store: nil, kind: .missing, detail: "")
            )
            throw .notCommitted("the index is away")
        }
        await #expect(throws: WorkerError.self) { try await queue.flush(harness.commits) }
        #expect(queue.count == 2)
        try await queue.flush(harness.commits)
        #expect(try await row(blobs[0].name, harness)?.broken == 0b11)
    }

    @Test func oneBlobThatChangesHoldsUpNoOther() async throws {
        let index = MemoryIndex()
        let watched = WatchedIndex(index)
        let harness = try await WorkerHarness(index: index, watched: watched)
        var blobs: [BlobLocator] = []
        for counter in 0..<300 { blobs.append(try await harness.keep(bytes, counter: UInt64(counter))) }
        let queue = DamageQueue(environment: harness.environment)
        for blob in blobs { queue.report(blob.name, damage(0)) }
        let gone = blobs[17].name
        watched.once(Keys.blobs("d")) { (_) async throws(MetadataError) in
            let id = TransactionID(epoch: .max, counter: .max)
            _ = try await index.commit(Transaction(id: id, mutations: [.remove(Keys.blob(gone))]))
        }
        #expect(try await queue.flush(harness.commits) == 299)
        #expect(try await row(gone, harness) == nil)
        #expect(try await harness.rows(Keys.blobs("d")).count == 299)
    }

    @Test func aRowThatCannotBeReadIsWrittenAnew() async throws {
        let harness = try await WorkerHarness()
        let blob = try await harness.keep(bytes, counter: 1)
        try await harness.commit([.put(Keys.damaged(blob.name), [0xff])])
        let queue = DamageQueue(environment: harness.environment)
        queue.report(blob.name, damage(2))
        #expect(try await queue.flush(harness.commits) == 1)
        #expect(try await row(blob.name, harness)?.broken == 0b100)
    }
}
