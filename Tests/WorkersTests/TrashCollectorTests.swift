import Metadata
import Pools
import Primitives
import Storage
import Testing
import TidegateTesting
import Workers

@Suite struct TrashCollectorTests {
    private let bytes = [UInt8](repeating: 3, count: 5000)

    private func collector(
        _ harness: WorkerHarness, _ change: (inout TrashCollector.Settings) -> Void = { _ in }
    ) -> TrashCollector {
        var settings = TrashCollector.Settings()
        change(&settings)
        return TrashCollector(
            commits: harness.commits, pool: harness.pool, horizon: harness.horizon, claims: harness.claims,
            environment: harness.environment, settings: settings,
            report: { [events = harness.events] in events.add($0) })
    }

    private func state(_ name: BlobName, _ harness: WorkerHarness) async throws -> TrashRecord.State? {
        guard let value = try await harness.value(Keys.trash(name)) else { return nil }
        return try TrashRecord(encoded: value).state
    }

    @Test func aBlobGoesFromPendingOverCondemnedToDeleted() async throws {
        let harness = try await WorkerHarness()
        let kept = try await harness.keep(bytes, counter: 1)
        let blob = try await harness.keep(bytes, counter: 2)
        try await harness.release(blob.name, reference: 1)
        #expect(try await state(blob.name, harness) == .pending)
        let reading = harness.horizon.begin()
        let collector = collector(harness)
        let first = try await collector.pass()
        #expect(first.condemned == 1 && first.waiting == 1 && first.deleted == 0)
        #expect(try await state(blob.name, harness) == .condemned)
        #expect(try await harness.value(Keys.blob(blob.name)) == nil)
        // A read that began before still has every byte, and nobody can refer to the blob any more.
        #expect(try await harness.fetch(blob) == bytes)
        await #expect(throws: MetadataError.conflict(condition: 0)) {
            try await harness.refer(to: blob, reference: 2)
        }
        // A read that began after the blob was condemned found nothing that refers to it: it holds up nothing.
        let later = harness.horizon.begin()
        for _ in 0..<3 { #expect(try await collector.pass().waiting == 1) }
        harness.horizon.end(reading)
        let second = try await collector.pass()
        #expect(second.deleted == 1 && second.waiting == 0 && second.failed == 0)
        harness.horizon.end(later)
        #expect(try await state(blob.name, harness) == .deleted)
        #expect(try await Set(harness.shards().map(\.name.whole)) == [kept.name])
        // The tombstone stays for as long as the writer of the blob may still commit something.
        #expect(try await !collector.pass().didWork)
        let restarted = try await harness.restarted()
        #expect(try await self.collector(restarted).pass().tombstonesRemoved == 1)
        #expect(try await state(blob.name, harness) == nil)
        #expect(try await harness.fetch(kept) == bytes)
        #expect(harness.events.failures.isEmpty)
    }

    @Test func noTombstoneIsLeftOfABlobThatNobodyMayReferTo() async throws {
        let harness = try await WorkerHarness()
        let blob = try await harness.keep(bytes, counter: 1)
        try await harness.release(blob.name, reference: 1)
        let done = try await collector(harness) { $0.writers = (harness.session.gateway, ReadHorizon()) }.pass()
        #expect(done.condemned == 1 && done.deleted == 1)
        #expect(try await harness.rows(Keys.blobs("t")).isEmpty)
        #expect(try await harness.shards().isEmpty)
    }

    @Test func aBlobWithAnotherReferenceIsTakenFromTheTrash() async throws {
        let harness = try await WorkerHarness()
        let blob = try await harness.keep(bytes, counter: 1)
        try await harness.commit([.put(Keys.reference(blob.name, 2), [])])
        try await harness.release(blob.name, reference: 1)
        let done = try await collector(harness).pass()
        #expect(done.kept == 1 && done.condemned == 0)
        #expect(try await state(blob.name, harness) == nil)
        #expect(try await harness.fetch(blob) == bytes)
        try await harness.release(blob.name, reference: 2)
        #expect(try await collector(harness).pass().deleted == 1)
    }

    /// The reference comes after the collector has looked for one, and before its commit.
    @Test func aReferenceThatIsAddedMeanwhileKeepsTheBlobAndHoldsUpNoOther() async throws {
        let index = MemoryIndex()
        let watched = WatchedIndex(index)
        let harness = try await WorkerHarness(index: index, watched: watched)
        var blobs: [BlobLocator] = []
        for counter in 0..<5 { blobs.append(try await harness.keep(bytes, counter: UInt64(counter))) }
        for blob in blobs { try await harness.release(blob.name, reference: 1) }
        let shared = blobs[2]
        watched.once(Keys.blobs("t")) { (_) async throws(MetadataError) in
            let id = TransactionID(epoch: .max, counter: .max)
            _ = try await index.commit(Transaction(id: id, mutations: [.put(Keys.reference(shared.name, 2), [])]))
        }
        let collector = collector(harness)
        let done = try await collector.pass()
        #expect(done.conflicts == 1 && done.condemned == 4 && done.deleted == 4 && done.kept == 0)
        #expect(try await state(shared.name, harness) == .pending)
        #expect(try await harness.fetch(shared) == bytes)
        #expect(try await collector.pass().kept == 1)
        #expect(try await harness.rows(.prefix(Keys.references(shared.name))).count == 1)
        #expect(try await harness.fetch(shared) == bytes)
    }

    @Test func aStoreThatIsDownHoldsABlobUntilItIsUp() async throws {
        let harness = try await WorkerHarness()
        let blob = try await harness.keep(bytes, counter: 1)
        try await harness.release(blob.name, reference: 1)
        harness.faulty[3].isAvailable = false
        let collector = collector(harness) { $0.retry = .seconds(10) }
        #expect(try await collector.pass().failed == 1)
        #expect(try await state(blob.name, harness) == .condemned)
        #expect(try await harness.shards().map(\.store) == [3])
        // It is not tried again at once, but ever later.
        #expect(try await collector.pass().waiting == 1)
        harness.environment.advance(by: .seconds(10))
        #expect(try await collector.pass().failed == 1)
        harness.environment.advance(by: .seconds(10))
        #expect(try await collector.pass().waiting == 1)
        harness.faulty[3].isAvailable = true
        harness.environment.advance(by: .seconds(10))
        #expect(try await collector.pass().deleted == 1)
        #expect(try await harness.shards().isEmpty)
        #expect(harness.events.failures.count == 2)
    }

    @Test func aStoreThatStaysAwayKeepsNoBlobForEver() async throws {
        let harness = try await WorkerHarness()
        let blob = try await harness.keep(bytes, counter: 1)
        try await harness.release(blob.name, reference: 1)
        harness.faulty[3].isAvailable = false
        let collector = collector(harness) { $0.mostTries = 3 }
        for _ in 0..<2 {
            #expect(try await collector.pass().deleted == 0)
            harness.environment.advance(by: .seconds(3600))
        }
        #expect(try await collector.pass().deleted == 1)
        #expect(try await state(blob.name, harness) == .deleted)
        // Its shard there is an orphan once the store is back.
        #expect(try await harness.shards().map(\.store) == [3])
    }

    @Test(arguments: 1...5) func aProcessMayDieBeforeAnyCommit(_ fatal: Int) async throws {
        let index = MemoryIndex()
        let watched = WatchedIndex(index)
        let harness = try await WorkerHarness(index: index, watched: watched)
        let kept = try await harness.keep(bytes, counter: 100)
        for counter in 0..<20 {
            let blob = try await harness.keep(bytes, counter: UInt64(counter))
            try await harness.release(blob.name, reference: 1)
        }
        let counter = EventCounter()
        watched.onCommit { (_) async throws(MetadataError) in
            if counter.next() >= fatal { throw .notCommitted("the process died") }
        }
        do throws(WorkerError) {
            // Pages of seven: two commits each.
            let done = try await collector(harness) { $0.pageRows = 7 }.pass()
            Issue.record("the pass ended: \(done)")
        } catch {
            guard case .index(.notCommitted) = error else { throw error }
        }
        let next = try await harness.restarted()
        let done = try await collector(next).pass()
        #expect(done.failed == 0 && done.waiting == 0)
        // What was condemned before is deleted now, and the first life's tombstones are not needed any more.
        _ = try await collector(next).pass()
        #expect(try await next.rows(Keys.blobs("t")).isEmpty)
        #expect(try await next.rows(Keys.blobs("b")).count == 1)
        #expect(try await Set(next.shards().map(\.name.whole)) == [kept.name])
        #expect(try await next.fetch(kept) == bytes)
    }

    @Test func noMoreBlobsWaitThanThereIsRoomFor() async throws {
        let harness = try await WorkerHarness()
        for counter in 0..<5 {
            let blob = try await harness.keep(bytes, counter: UInt64(counter))
            try await harness.release(blob.name, reference: 1)
        }
        let reading = harness.horizon.begin()
        let collector = collector(harness) { $0.mostWaiting = 2 }
        #expect(try await collector.pass().condemned == 2)
        #expect(try await collector.pass().condemned == 0)
        harness.horizon.end(reading)
        #expect(try await collector.pass().deleted == 2)
        #expect(try await collector.pass().deleted == 2)
        #expect(try await collector.pass().deleted == 1)
        #expect(try await harness.shards().isEmpty)
    }

    @Test func aThousandBlobsGoInOnePassAndSeveralPages() async throws {
        let harness = try await WorkerHarness()
        for counter in 0..<1000 {
            let blob = try await harness.keep([1, 2, 3], counter: UInt64(counter))
            try await harness.release(blob.name, reference: 1)
        }
        let done = try await collector(harness).pass()
        #expect(done.condemned == 1000 && done.deleted == 1000)
        #expect(try await harness.shards().isEmpty)
    }

    @Test func rowsThatCannotBeReadAreToldAndLeftAlone() async throws {
        let harness = try await WorkerHarness()
        let blob = try await harness.keep(bytes, counter: 1)
        let (unreadable, unknown) = (try await harness.keep(bytes, counter: 2), [0x03, 0x74, 1, 2, 3] as Key)
        try await harness.release(blob.name, reference: 1)
        try await harness.commit([.put(Keys.trash(unreadable.name), [0xff]), .put(unknown, [])])
        #expect(try await collector(harness).pass().deleted == 1)
        #expect(harness.events.failures.count == 2)
        #expect(try await harness.fetch(unreadable) == bytes)
        #expect(try await harness.value(unknown) != nil)
    }

    @Test func aBlobWithoutAReadableRecordIsRemovedWhereverItsShardsLie() async throws {
        let harness = try await WorkerHarness()
        let blob = try await harness.keep(bytes, counter: 1)
        try await harness.release(blob.name, reference: 1)
        try await harness.commit([.put(Keys.blob(blob.name), [0xff])])
        #expect(try await collector(harness).pass().deleted == 1)
        #expect(try await harness.shards().isEmpty)
    }

    @Test func aProcessThatWasReplacedChangesNothing() async throws {
        let harness = try await WorkerHarness()
        let blob = try await harness.keep(bytes, counter: 1)
        try await harness.release(blob.name, reference: 1)
        _ = try await harness.restarted()
        do throws(WorkerError) {
            _ = try await collector(harness).pass()
            Issue.record("the pass went on")
        } catch {
            guard case .fenced = error else { throw error }
        }
        #expect(try await state(blob.name, harness) == .pending)
        #expect(try await harness.fetch(blob) == bytes)
    }
}
