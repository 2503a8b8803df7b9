import Audit
import Metadata
import Pools
import Primitives
import Storage
import Synchronization
import Testing
import TidegateTesting
import Workers

/// After the index was brought back without its last commits, what they named is nobody's garbage.
@Suite struct RecoveredIndexTests {
    /// The stores' identities, as the stores keep them.
    private final class Identities: Sendable {
        private let kept: Mutex<[StoreIdentity]>

        init(stores: Int) throws {
            kept = Mutex(
                try (0..<stores).map { number in
                    try #require(
                        StoreIdentity(
                            deployment: WorkerHarness.deployment,
                            store: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 16)))
                })
        }

        subscript(number: Int) -> StoreIdentity {
            get { kept.withLock { $0[number] } }
            set { kept.withLock { $0[number] = newValue } }
        }
    }

    private func orphans(_ harness: WorkerHarness, _ identities: Identities) -> OrphanCollector {
        var settings = OrphanCollector.Settings()
        settings.quarantine = .zero
        let stores = harness.faulty.enumerated().map { number, store in
            CollectedStore(
                number: number, store: store, identity: { () throws(StorageError) in identities[number] },
                mark: { identity throws(StorageError) in identities[number] = identity })
        }
        return OrphanCollector(
            commits: harness.commits, session: harness.session, pool: harness.pool, stores: stores,
            claims: harness.claims, environment: harness.environment, settings: settings)
    }

    private func trash(_ harness: WorkerHarness) -> TrashCollector {
        TrashCollector(
            commits: harness.commits, pool: harness.pool, horizon: harness.horizon, claims: harness.claims,
            environment: harness.environment)
    }

    /// The same stores with an index that was recovered: it has nothing of what the one before did.
    private func recovered(_ harness: WorkerHarness) async throws -> WorkerHarness {
        var next = harness
        next.index = MemoryIndex()
        next.session = try await EpochKeeper(index: next.index, environment: next.environment, node: "b")
            .begin(above: harness.session.workers, deployment: WorkerHarness.deployment, isRecovered: true)
        next.commits = WorkerCommits(index: next.index, epoch: next.session.workers)
        return next
    }

    @Test func whatTheLostCommitsNamedStaysUntilAnOperatorGivesItUp() async throws {
        let harness = try await WorkerHarness()
        let lost = try await harness.store([UInt8](repeating: 1, count: 5000), counter: 1)
        try await harness.refer(to: lost, reference: 1)
        let next = try await recovered(harness)
        // A write of the process after the recovery that a crash cuts short is an orphan like any other.
        let orphan = try await next.store([UInt8](repeating: 2, count: 5000), counter: 1)
        let last = try await next.restarted()
        let collector = orphans(last, try Identities(stores: 6))
        for _ in 0..<3 {
            let report = try await collector.pass()
            #expect(report.stores.reduce(0) { $0 + $1.kept } == 6)
        }
        #expect(try await last.fetch(lost) == [UInt8](repeating: 1, count: 5000))
        #expect(try await last.shards().allSatisfy { $0.name.whole != orphan.name })
        try await collector.acceptLoss(records: [])
        for _ in 0..<2 { _ = try await collector.pass() }
        #expect(try await last.shards().isEmpty)
    }

    @Test func aBlobWhoseOtherObjectsMayBeLostIsNotCondemned() async throws {
        let harness = try await WorkerHarness()
        let shared = try await harness.store([UInt8](repeating: 1, count: 5000), counter: 1)
        let next = try await recovered(harness)
        try await next.refer(to: shared, reference: 1)
        try await next.release(shared.name, reference: 1)
        for _ in 0..<3 {
            let report = try await trash(next).pass()
            #expect(report.untouched == 1 && report.condemned == 0)
        }
        #expect(try await next.fetch(shared) == [UInt8](repeating: 1, count: 5000))
        let own = try await next.store([UInt8](repeating: 2, count: 5000), counter: 1)
        try await next.refer(to: own, reference: 1)
        try await next.release(own.name, reference: 1)
        #expect(try await trash(next).pass().deleted == 1)
        try await orphans(next, try Identities(stores: 6)).acceptLoss(records: [])
        #expect(try await trash(next).pass().deleted == 1)
        #expect(try await next.shards().isEmpty)
    }

    /// An index that was put back from a copy made by hand reaches the stores' mark again one day.
    @Test func anIndexThatWentBackIsNotBelievedOnceItHasCaughtUp() async throws {
        let harness = try await WorkerHarness()
        let lost = try await harness.store([UInt8](repeating: 1, count: 5000), epoch: 1, counter: 1)
        let identities = try Identities(stores: 6)
        let version = try await harness.index.kept().last
        identities[3].highWaterMark = version + 20
        var last = try await harness.restarted()
        let collector = orphans(last, identities)
        let error = await #expect(throws: WorkerError.self) { try await collector.pass() }
        guard case .refused = error else { throw try #require(error) }
        for _ in 0..<30 { try await last.commit([]) }
        last = try await last.restarted()
        let again = orphans(last, identities)
        for _ in 0..<3 { #expect(try await again.pass().stores.reduce(0) { $0 + $1.kept } == 6) }
        #expect(try await last.fetch(lost) == [UInt8](repeating: 1, count: 5000))
    }

    @Test func aMarkThatAnotherProcessMadeMeanwhileIsNoLoss() async throws {
        let harness = try await WorkerHarness()
        let identities = try Identities(stores: 6)
        let store = CollectedStore(
            number: 0, store: harness.faulty[0],
            identity: { () throws(StorageError) in
                do {
                    identities[0].highWaterMark = try await harness.commit([])
                } catch {
                    throw .unavailable("\(error)")
                }
                return identities[0]
            }, mark: { identity throws(StorageError) in identities[0] = identity })
        let collector = OrphanCollector(
            commits: harness.commits, session: harness.session, pool: harness.pool, stores: [store],
            claims: harness.claims, environment: harness.environment)
        #expect(try await collector.pass().stores.map(\.stopped) == [nil])
        #expect(try await harness.value(Keys.recovered) == nil)
    }

    @Test func aLossThatIsAcceptedSetsTheMarksBack() async throws {
        let harness = try await WorkerHarness()
        let identities = try Identities(stores: 6)
        identities[3].highWaterMark = 1_000_000
        let collector = orphans(harness, identities)
        await #expect(throws: WorkerError.self) { try await collector.pass() }
        let record = AuditRecord(
            .system("Test", id: "accepted", at: Timestamp(seconds: 1_700_000_000), region: "us-east-1"))
        try await collector.acceptLoss(records: [record])
        #expect(identities[3].highWaterMark < 1_000_000)
        _ = try await collector.pass()
        let rows = try await harness.index.scan(Scan(Keys.outbox, limit: 10)).entries
        #expect(try rows.map { try OutboxRecord(encoded: $0.value).eventID } == ["accepted"])
    }
}
