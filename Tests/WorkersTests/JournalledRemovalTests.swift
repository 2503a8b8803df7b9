import Metadata
import Pools
import Primitives
import Storage
import Synchronization
import Testing
import TidegateTesting
import Workers

/// What a commit gives up stays until the index's journal has that commit: an index that is brought back without it
/// names the bytes.
@Suite struct JournalledRemovalTests {
    /// The workers of an index whose journal ends where a test says.
    private struct Journalled {
        let harness: WorkerHarness
        let reach: Reach
        let commits: WorkerCommits

        init() async throws {
            harness = try await WorkerHarness()
            let reach = Reach()
            self.reach = reach
            commits = WorkerCommits(harness.commits, through: harness.index) { reach.value }
        }
    }

    private final class Reach: Sendable {
        private let version = Mutex<CommitVersion>(0)

        var value: CommitVersion {
            get { version.withLock { $0 } }
            set { version.withLock { $0 = newValue } }
        }
    }

    @Test func aCondemnedBlobStaysUntilTheJournalHasTheCommit() async throws {
        let journalled = try await Journalled()
        let harness = journalled.harness
        let locator = try await harness.store([UInt8](repeating: 1, count: 5000), counter: 1)
        try await harness.refer(to: locator, reference: 1)
        try await harness.release(locator.name, reference: 1)
        let collector = TrashCollector(
            commits: journalled.commits, pool: harness.pool, horizon: harness.horizon, claims: harness.claims,
            environment: harness.environment)
        #expect(try await collector.pass().condemned == 1)
        let condemned = try await harness.index.kept().last
        for _ in 0..<3 {
            let report = try await collector.pass()
            #expect(report.waiting == 1 && report.deleted == 0 && report.failed == 0)
        }
        journalled.reach.value = condemned - 1
        #expect(try await collector.pass().deleted == 0)
        #expect(try await harness.fetch(locator) == [UInt8](repeating: 1, count: 5000))
        journalled.reach.value = condemned
        #expect(try await collector.pass().deleted == 1)
        #expect(try await harness.shards().isEmpty)
    }

    @Test func aReplacedShardStaysUntilTheJournalHasTheRepair() async throws {
        let journalled = try await Journalled()
        let harness = journalled.harness
        let locator = try await harness.store([UInt8](repeating: 1, count: 5000), counter: 1)
        try await harness.refer(to: locator, reference: 1)
        let before = try await harness.shards()
        // A store is away long enough for its shards to be restored elsewhere, and comes back.
        let away = try #require(before.first).store
        harness.faulty[away].isAvailable = false
        try await harness.commit([
            .put(Keys.damaged(locator.name), DamagedRecord(broken: 1, reported: harness.environment.now()).encoded)
        ])
        let repair = RepairService(
            commits: journalled.commits, pool: harness.pool, queue: DamageQueue(environment: harness.environment),
            horizon: harness.horizon, claims: harness.claims, environment: harness.environment, region: "us-east-1")
        try await repair.repairPass()
        harness.faulty[away].isAvailable = true
        #expect(try await harness.locator(locator.name) != locator)
        let repaired = try await harness.index.kept().last
        try await repair.repairPass()
        let kept = try await harness.shards()
        #expect(before.allSatisfy { shard in kept.contains { $0 == shard } })
        journalled.reach.value = repaired
        try await repair.repairPass()
        #expect(try await harness.shards().count == 6)
    }
}
