import Metadata
import Pools
import Primitives
import Testing
import TidegateTesting
import Workers

/// The tombstone of a blob that is gone stays as long as somebody may try to refer to the blob, and no longer.
@Suite struct TombstoneTests {
    private func collector(_ harness: WorkerHarness, _ writers: ReadHorizon?) -> TrashCollector {
        var settings = TrashCollector.Settings()
        settings.writers = writers.map { (harness.session.gateway, $0) }
        return TrashCollector(
            commits: harness.commits, pool: harness.pool, horizon: harness.horizon, claims: harness.claims,
            environment: harness.environment, settings: settings)
    }

    private func delete(_ harness: WorkerHarness, counter: UInt64, epoch: UInt32? = nil) async throws -> BlobName {
        let locator = try await harness.store([1, 2, 3], epoch: epoch, counter: counter)
        try await harness.refer(to: locator, reference: 1)
        try await harness.release(locator.name, reference: 1)
        return locator.name
    }

    private func tombstones(_ harness: WorkerHarness) async throws -> Int {
        try await harness.index.scan(Scan(Keys.blobs("t"), limit: 1000)).entries.count
    }

    @Test func noneIsLeftWhereNobodyWrites() async throws {
        let harness = try await WorkerHarness()
        let collector = collector(harness, ReadHorizon())
        for counter in UInt64(1)...20 { _ = try await delete(harness, counter: counter) }
        #expect(try await collector.pass().deleted == 20)
        #expect(try await tombstones(harness) == 0)
    }

    @Test func oneStaysUntilTheWritesThatMayShareTheBlobHaveEnded() async throws {
        let harness = try await WorkerHarness()
        let writers = ReadHorizon()
        let collector = collector(harness, writers)
        let early = writers.begin()
        let name = try await delete(harness, counter: 1)
        #expect(try await collector.pass().deleted == 1)
        let late = writers.begin()
        #expect(try await collector.pass().tombstonesRemoved == 0)
        // The write that shares the blob comes too late.
        await #expect(throws: MetadataError.self) {
            try await harness.commit([.put(Keys.reference(name, 2), [])], if: [.absent(Keys.trash(name))])
        }
        writers.end(early)
        #expect(try await collector.pass().tombstonesRemoved == 1)
        #expect(try await tombstones(harness) == 0)
        writers.end(late)
    }

    @Test func thatOfAnotherProcessStaysUntilItsEpochEnds() async throws {
        let harness = try await WorkerHarness()
        let other = try await EpochKeeper(index: harness.index, environment: harness.environment, node: "b")
            .begin(endsOthers: false)
        _ = try await delete(harness, counter: 1, epoch: other.gateway)
        let collector = collector(harness, ReadHorizon())
        #expect(try await collector.pass().deleted == 1)
        for _ in 0..<3 { #expect(try await collector.pass().tombstonesRemoved == 0) }
        try await harness.commit([.remove(Keys.epoch(other.gateway))])
        #expect(try await collector.pass().tombstonesRemoved == 1)
    }
}
