import Metadata
import Pools
import Primitives
import Storage
import Testing
import TidegateTesting
import Workers

@Suite struct ScrubberNameTests {
    @Test func aPageOfUnreadableNamesDoesNotEndThePass() async throws {
        let harness = try await WorkerHarness()
        let locator = try await harness.store([1, 2, 3], counter: 1)
        try await harness.refer(to: locator, reference: 1)
        // Names of 17 bytes only are names; these come before any of them.
        try await harness.commit((0..<5).map { .put(Keys.blobs("b").lowerBound.key + [0, $0], [1]) })
        let shard = try #require(try await harness.shards().first)
        try await harness.memory[shard.store].delete(shard.name)
        let queue = DamageQueue(environment: harness.environment)
        var settings = Scrubber.Settings()
        settings.pageRows = 2
        let scrubber = Scrubber(
            commits: harness.commits, pool: harness.pool, queue: queue, environment: harness.environment,
            settings: settings)
        let report = try await scrubber.pass()
        #expect(report.unreadableBlobs == 5)
        #expect(report.blobs == 1 && report.damagedShards == 1)
    }
}
