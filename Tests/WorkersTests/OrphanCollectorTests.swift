import Metadata
import Pools
import Primitives
import Storage
import Synchronization
import Testing
import TidegateTesting
import Workers

@Suite struct OrphanCollectorTests {
    private let bytes = [UInt8](repeating: 3, count: 5000)

    /// What the stores say of themselves.
    private final class Identities: Sendable {
        let all: Mutex<[Int: StoreIdentity]>

        init(_ deployment: [UInt8], stores: Int) {
            var all: [Int: StoreIdentity] = [:]
            for number in 0..<stores {
                let store = [UInt8](repeating: UInt8(number), count: 16)
                all[number] = StoreIdentity(deployment: deployment, store: store)
            }
            self.all = Mutex(all)
        }

        subscript(number: Int) -> StoreIdentity? {
            get { all.withLock { $0[number] } }
            set { all.withLock { $0[number] = newValue } }
        }
    }

    private func collector(
        _ harness: WorkerHarness, _ identities: Identities,
        stores: [any BlobStore]? = nil, _ change: (inout OrphanCollector.Settings) -> Void = { _ in }
    ) -> OrphanCollector {
        var settings = OrphanCollector.Settings()
        change(&settings)
        let stores = stores ?? harness.faulty
        return OrphanCollector(
            commits: harness.commits, session: harness.session, pool: harness.pool,
            stores: stores.enumerated().map { number, store in
                CollectedStore(
                    number: number, store: store, identity: { () throws(StorageError) in identities[number] },
                    mark: { identity throws(StorageError) in identities[number] = identity })
            }, claims: harness.claims, environment: harness.environment, settings: settings,
            report: { [events = harness.events] in events.add($0) })
    }

    /// A process that died and left `orphans` blobs that it never committed, beside `kept` that it did.
    private func crashed(
        orphans: Int, kept: Int = 1
    ) async throws -> (WorkerHarness, kept: [BlobLocator], Identities) {
        let harness = try await WorkerHarness()
        for counter in 0..<orphans { _ = try await harness.store(bytes, counter: UInt64(counter)) }
        var locators: [BlobLocator] = []
        for counter in 0..<kept { locators.append(try await harness.keep(bytes, counter: UInt64(1000 + counter))) }
        return (try await harness.restarted(), locators, Identities(WorkerHarness.deployment, stores: 6))
    }

    private func sum(_ report: OrphanReport, _ field: (OrphanReport.Store) -> Int) -> Int {
        report.stores.reduce(0) { $0 + field($1) }
    }

    @Test func orphansOfEndedEpochsGoAfterTheirQuarantineAndNothingElseDoes() async throws {
        let (harness, kept, identities) = try await crashed(orphans: 1)
        let writing = try await harness.store(bytes, counter: 7)
        let collector = collector(harness, identities) { $0.quarantine = .seconds(900) }
        for wait in [0, 0, 899] {
            harness.environment.advance(by: .seconds(wait))
            let found = try await collector.pass()
            #expect(sum(found, \.orphans) == 6 && sum(found, \.quarantined) == 6 && sum(found, \.deleted) == 0)
            #expect(sum(found, \.shards) == 18)
        }
        harness.environment.advance(by: .seconds(1))
        let found = try await collector.pass()
        #expect(sum(found, \.deleted) == 6 && sum(found, \.failed) == 0)
        #expect(found.stores.allSatisfy { $0.stopped == nil })
        #expect(try await Set(harness.shards().map(\.name.whole)) == [kept[0].name, writing.name])
        #expect(try await harness.fetch(kept[0]) == bytes)
        // What the live epoch wrote may be committed yet.
        try await harness.refer(to: writing, reference: 1)
        harness.environment.advance(by: .seconds(3600))
        #expect(try await sum(collector.pass(), \.orphans) == 0)
        #expect(try await harness.fetch(writing) == bytes)
    }

    @Test func aProcessRemembersNothingOfWhatAnotherSaw() async throws {
        let (harness, _, identities) = try await crashed(orphans: 1)
        _ = try await collector(harness, identities).pass()
        harness.environment.advance(by: .seconds(3600))
        // A new one begins the quarantine anew.
        #expect(try await sum(collector(harness, identities).pass(), \.deleted) == 0)
    }

    @Test func storesLearnWhichCommitTheyHaveSeen() async throws {
        let (harness, _, identities) = try await crashed(orphans: 0)
        _ = try await collector(harness, identities).pass()
        let last = try await harness.index.kept().last
        for number in 0..<6 { #expect(identities[number]?.highWaterMark == last) }
        #expect(try await !harness.index.changes(after: last - 1, limit: 2).isEmpty)
    }

    /// Runs passes over more than the quarantine, and expects each to be refused and nothing to be deleted.
    private func expectRefusal(_ harness: WorkerHarness, _ collector: OrphanCollector, _ reason: String) async throws {
        let before = try await harness.shards().count
        for _ in 0..<3 {
            do throws(WorkerError) {
                let done = try await collector.pass()
                Issue.record("\(reason): \(done)")
            } catch {
                guard case .refused(let message) = error else { throw error }
                #expect(message.contains(reason))
            }
            harness.environment.advance(by: .seconds(3600))
        }
        #expect(try await harness.shards().count == before)
    }

    @Test func aStoreOfAnotherDeploymentStopsEverything() async throws {
        let (harness, _, identities) = try await crashed(orphans: 1)
        identities[4] = StoreIdentity(
            deployment: [UInt8](repeating: 9, count: 16), store: [UInt8](repeating: 4, count: 16))
        try await expectRefusal(harness, collector(harness, identities), "belongs to the deployment 0909")
    }

    @Test func aStoreThatDoesNotSayWhoseItIsStopsEverything() async throws {
        let (harness, _, identities) = try await crashed(orphans: 1)
        identities[4] = nil
        try await expectRefusal(harness, collector(harness, identities), "does not say whose it is")
    }

    @Test func anIndexThatWentBackStopsEverything() async throws {
        let (harness, _, identities) = try await crashed(orphans: 1)
        identities[4]?.highWaterMark = 1000
        try await expectRefusal(harness, collector(harness, identities), "the index went back")
        #expect(identities[4]?.highWaterMark == 1000)
    }

    /// The store was marked seldom, so that the mark alone does not tell.
    @Test func blobsOfEpochsThatTheIndexNeverDrewStopEverything() async throws {
        let (harness, _, identities) = try await crashed(orphans: 1)
        _ = try await harness.store(bytes, epoch: 50, counter: 1)
        try await expectRefusal(harness, collector(harness, identities), "of an epoch that this index never drew")
    }

    /// A process that begins while a pass is under way draws an epoch and writes.
    @Test func anEpochThatIsDrawnDuringAPassIsNoneThatTheIndexNeverDrew() async throws {
        let (harness, _, identities) = try await crashed(orphans: 1)
        let isFirst = Flag()
        let stores = harness.faulty.map { store in
            ListingStore(store) { page in
                guard isFirst.raise() else { return page }
                do {
                    let other = try await EpochKeeper(
                        index: harness.index, environment: harness.environment, node: "c"
                    ).begin(endsOthers: false)
                    _ = try await harness.store([1, 2, 3], epoch: other.gateway, counter: 1)
                } catch {
                    Issue.record(error)
                }
                return page
            }
        }
        let found = try await collector(harness, identities, stores: stores).pass()
        #expect(!isFirst.raise())
        #expect(sum(found, \.orphans) == 6)
    }

    @Test func moreOrphansThanAnOrdinaryDayMakesAreLeftAlone() async throws {
        let (harness, _, identities) = try await crashed(orphans: 4, kept: 10)
        let strict = collector(harness, identities) { ($0.mostOrphans, $0.mostShare) = (3, 0.28) }
        for _ in 0..<3 {
            let found = try await strict.pass()
            #expect(found.stores.allSatisfy { $0.stopped != nil && $0.orphans == 4 && $0.deleted == 0 })
            harness.environment.advance(by: .seconds(3600))
        }
        // Few enough by their number, or by their share, are an ordinary day's.
        for (most, share) in [(4, 0.01), (1, 0.29)] {
            let collector = collector(harness, identities) { ($0.mostOrphans, $0.mostShare) = (most, share) }
            #expect(try await collector.pass().stores.allSatisfy { $0.stopped == nil && $0.quarantined == 4 })
        }
        #expect(try await harness.shards().count == 14 * 6)
    }

    @Test func aStoreThatIsAwayIsLeftOutAndTheOthersAreNot() async throws {
        let (harness, _, identities) = try await crashed(orphans: 1, kept: 0)
        let collector = collector(harness, identities)
        harness.faulty[2].isAvailable = false
        _ = try await collector.pass()
        harness.environment.advance(by: .seconds(1000))
        let found = try await collector.pass()
        #expect(found.stores.filter { $0.stopped != nil }.map(\.number) == [2])
        #expect(sum(found, \.deleted) == 5)
        harness.faulty[2].isAvailable = true
        _ = try await collector.pass()
        harness.environment.advance(by: .seconds(1000))
        #expect(try await sum(collector.pass(), \.deleted) == 1)
        #expect(try await harness.shards().isEmpty)
    }

    @Test func aStoreThatFailsToDeleteIsToldAndTriedAgain() async throws {
        let (harness, _, identities) = try await crashed(orphans: 1, kept: 0)
        let collector = collector(harness, identities)
        _ = try await collector.pass()
        harness.environment.advance(by: .seconds(1000))
        harness.faulty[2].follow(.every(.delete, .failBefore(.unavailable("no"))))
        let found = try await collector.pass()
        #expect(sum(found, \.failed) == 1 && sum(found, \.deleted) == 5)
        harness.faulty[2].follow(.none)
        #expect(try await sum(collector.pass(), \.deleted) == 1)
    }

    @Test func whatTheIndexNamesBeforeTheQuarantineIsOverStays() async throws {
        let (harness, _, identities) = try await crashed(orphans: 0)
        let blob = try await harness.store(bytes, epoch: 1, counter: 5)
        let collector = collector(harness, identities)
        #expect(try await sum(collector.pass(), \.orphans) == 6)
        try await harness.refer(to: blob, reference: 1)
        harness.environment.advance(by: .seconds(3600))
        #expect(try await sum(collector.pass(), \.orphans) == 0)
        #expect(try await harness.fetch(blob) == bytes)
    }

    @Test func whatIsOnTheTrashIsTheTrashCollectorsToRemove() async throws {
        let (harness, kept, identities) = try await crashed(orphans: 0)
        let reading = harness.horizon.begin()
        try await harness.release(kept[0].name, reference: 1)
        let trash = TrashCollector(
            commits: harness.commits, pool: harness.pool, horizon: harness.horizon, claims: harness.claims,
            environment: harness.environment)
        #expect(try await trash.pass().condemned == 1)
        let collector = collector(harness, identities)
        for _ in 0..<3 {
            #expect(try await sum(collector.pass(), \.orphans) == 0)
            harness.environment.advance(by: .seconds(3600))
        }
        #expect(try await harness.fetch(kept[0]) == bytes)
        harness.horizon.end(reading)
    }

    /// A repair writes a shard's next attempt and dies before it has removed what that replaced.
    @Test func shardsThatARepairReplacedAreSurplus() async throws {
        let (harness, kept, identities) = try await crashed(orphans: 0)
        try await harness.flip(2, of: kept[0], byte: 100)
        let queue = DamageQueue(environment: harness.environment)
        queue.report(kept[0].name, ShardDamage(index: 2, store: nil, kind: .corrupt, detail: ""))
        try await queue.flush(harness.commits)
        let reading = harness.horizon.begin()
        let repair = RepairService(
            commits: harness.commits, pool: harness.pool, queue: queue, horizon: harness.horizon,
            claims: harness.claims, environment: harness.environment, region: "us-east-1")
        #expect(try await repair.repairPass() == 1)
        harness.horizon.end(reading)
        #expect(try await harness.shards().count == 7)
        let next = try await harness.restarted()
        let collector = collector(next, identities)
        #expect(try await sum(collector.pass(), \.surplus) == 1)
        next.environment.advance(by: .seconds(900))
        let found = try await collector.pass()
        #expect(sum(found, \.deleted) == 1 && sum(found, \.orphans) == 0)
        let locator = try #require(try await next.locator(kept[0].name))
        #expect(try await next.pool.verify(locator).allSatisfy { $0.state == .sound })
        #expect(try await next.shards().count == 6)
        #expect(try await next.fetch(locator) == bytes)
    }

    @Test func aBlobWhoseRecordCannotBeReadKeepsItsShards() async throws {
        let (harness, kept, identities) = try await crashed(orphans: 0)
        try await harness.commit([.put(Keys.blob(kept[0].name), [0xff])])
        let collector = collector(harness, identities)
        for _ in 0..<3 {
            #expect(try await sum(collector.pass()) { $0.orphans + $0.surplus } == 0)
            harness.environment.advance(by: .seconds(3600))
        }
        #expect(try await harness.shards().count == 6)
    }

    @Test func whatIsNoDataIsNobodysOrphan() async throws {
        let (harness, _, identities) = try await crashed(orphans: 0)
        for kind in BlobName.Kind.allCases where kind != .data {
            let name = BlobName(kind: kind, epoch: 1, counter: 1, random: 1)
            _ = try await harness.memory[0].write(name, Body([1]))
        }
        let collector = collector(harness, identities)
        for _ in 0..<3 {
            #expect(try await sum(collector.pass(), \.orphans) == 0)
            harness.environment.advance(by: .seconds(3600))
        }
        #expect(try await harness.memory[0].blobs(after: nil, limit: 10).count { $0.name.kind != .data } == 3)
    }

    @Test func manyOrphansGoPageByPage() async throws {
        let (harness, kept, identities) = try await crashed(orphans: 25)
        let collector = collector(harness, identities) { ($0.pageShards, $0.mostRemembered) = (4, 20) }
        #expect(try await sum(collector.pass(), \.quarantined) == 150)
        for expected in [120, 0, 30, 0] {
            harness.environment.advance(by: .seconds(1000))
            #expect(try await sum(collector.pass(), \.deleted) == expected)
        }
        #expect(try await Set(harness.shards().map(\.name.whole)) == [kept[0].name])
    }

    @Test func aStoreWhoseListingNeverEndsIsLeftOut() async throws {
        let (harness, _, identities) = try await crashed(orphans: 2)
        let stores: [any BlobStore] = harness.faulty.enumerated().map { number, store in
            guard number == 1 else { return store }
            return ListingStore(store) { _ in
                [BlobSummary(name: BlobName(epoch: 1, counter: 1, random: 1).shard(0), length: 1)]
            }
        }
        let found = try await collector(harness, identities, stores: stores).pass()
        #expect(found.stores.filter { $0.stopped != nil }.map(\.number) == [1])
    }

    @Test("Nothing that the index names goes, whatever a store lists", arguments: ["old", "holes", "another's"])
    func aListingThatLiesCostsNothing(_ lie: String) async throws {
        let (harness, kept, identities) = try await crashed(orphans: 2, kept: 4)
        var listings: [[BlobSummary]] = []
        for store in harness.memory { listings.append(try await store.blobs(after: nil, limit: 100)) }
        let stores: [any BlobStore] = harness.faulty.enumerated().map { number, store in
            guard number < 2 else { return store }
            let told = listings[lie == "old" ? number : number + 2]
            return ListingStore(store) { page in
                // What comes after the last blob is empty in any case.
                guard !page.isEmpty else { return [] }
                return lie == "holes" ? page.indices.filter { $0 % 2 == 1 }.map { page[$0] } : told
            }
        }
        let collector = collector(harness, identities, stores: stores) { $0.mostShare = 1 }
        for _ in 0..<3 {
            _ = try await collector.pass()
            harness.environment.advance(by: .seconds(1000))
        }
        let left = try await harness.shards()
        for locator in kept {
            #expect(left.count { $0.name.whole == locator.name } == 6)
            #expect(try await harness.pool.verify(locator).allSatisfy { $0.state == .sound })
        }
        // Of the stores that are honest, the orphans are gone.
        let names = Set(kept.map(\.name))
        #expect(left.allSatisfy { names.contains($0.name.whole) || $0.store < 2 })
    }

    @Test func aProcessThatWasReplacedDeletesNothing() async throws {
        let (harness, _, identities) = try await crashed(orphans: 1)
        let collector = collector(harness, identities)
        _ = try await collector.pass()
        _ = try await harness.restarted()
        harness.environment.advance(by: .seconds(3600))
        do throws(WorkerError) {
            _ = try await collector.pass()
            Issue.record("the pass went on")
        } catch {
            guard case .fenced = error else { throw error }
        }
        #expect(try await harness.shards().count == 12)
    }
}

/// A store that gives each page of its listing to a test first.
private struct ListingStore: BlobStore {
    let base: any BlobStore
    let change: @Sendable ([BlobSummary]) async -> [BlobSummary]

    init(_ base: any BlobStore, _ change: @escaping @Sendable ([BlobSummary]) async -> [BlobSummary]) {
        (self.base, self.change) = (base, change)
    }

    func write(_ name: BlobName, _ body: consuming Body) async throws(StorageError) -> BlobReceipt {
        try await base.write(name, body)
    }

    func read(_ name: BlobName, range: Range<Int64>, into sink: inout any BodySink) async throws(StorageError) {
        try await base.read(name, range: range, into: &sink)
    }

    func delete(_ name: BlobName) async throws(StorageError) { try await base.delete(name) }

    func blobs(after: BlobName?, limit: Int) async throws(StorageError) -> [BlobSummary] {
        await change(try await base.blobs(after: after, limit: limit))
    }
}
