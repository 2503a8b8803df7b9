import Audit
import Metadata
import Pools
import Primitives
import Storage
import Testing
import TidegateTesting
import Workers

@Suite struct RepairServiceTests {
    private let bytes = [UInt8](repeating: 3, count: 9000)

    private func service(
        _ harness: WorkerHarness, _ queue: DamageQueue, _ change: (inout RepairService.Settings) -> Void = { _ in }
    ) -> RepairService {
        var settings = RepairService.Settings()
        change(&settings)
        return RepairService(
            commits: harness.commits, pool: harness.pool, queue: queue, horizon: harness.horizon,
            claims: harness.claims, environment: harness.environment, region: "us-east-1", settings: settings,
            report: { [events = harness.events] in events.add($0) })
    }

    /// Puts damage on the queue, as a read or a scrub that met it does.
    private func queue(
        _ harness: WorkerHarness, _ damage: [(BlobName, [UInt8], ShardDamage.Kind)]
    ) async throws -> DamageQueue {
        let queue = DamageQueue(environment: harness.environment)
        for (name, shards, kind) in damage {
            for index in shards { queue.report(name, ShardDamage(index: index, store: nil, kind: kind, detail: "")) }
        }
        try await queue.flush(harness.commits)
        return queue
    }

    private func damaged(_ name: BlobName, _ harness: WorkerHarness) async throws -> DamagedRecord? {
        guard let value = try await harness.value(Keys.damaged(name)) else { return nil }
        return try DamagedRecord(encoded: value)
    }

    /// The blob is whole, by the record that the index has now, and nothing is left over.
    private func expectWhole(_ blob: BlobLocator, _ harness: WorkerHarness, shards: Int = 6) async throws {
        let locator = try #require(try await harness.locator(blob.name))
        #expect(try await harness.pool.verify(locator).allSatisfy { $0.state == .sound })
        #expect(try await harness.fetch(locator) == bytes)
        #expect(try await harness.shards().count { $0.name.whole == blob.name } == shards)
        #expect(try await damaged(blob.name, harness) == nil)
    }

    /// The records that were committed, as texts.
    private func records(_ harness: WorkerHarness) async throws -> [String] {
        try await harness.rows(Keys.outbox).map { row in
            String(decoding: try OutboxRecord(encoded: row.value).canonicalJSON, as: UTF8.self)
        }
    }

    @Test func aMissingAndACorruptShardAreRebuiltAndRecordedWithTheirHashes() async throws {
        let harness = try await WorkerHarness()
        let blob = try await harness.keep(bytes, counter: 1)
        let roots = try await harness.pool.verify(blob).map { Hex.encode(Keys.bigEndian($0.root ?? 0)) }
        try await harness.lose(1, of: blob)
        try await harness.flip(4, of: blob, byte: 100)
        let queue = try await queue(harness, [(blob.name, [1], .missing), (blob.name, [4], .corrupt)])
        #expect(try await service(harness, queue).repairPass() == 1)
        try await expectWhole(blob, harness)
        let records = try await records(harness)
        #expect(records.count == 2)
        #expect(records.allSatisfy { $0.contains("RepairShard") && $0.contains(blob.name.description) })
        let missing = try #require(records.first { $0.contains(#""was":"missing""#) })
        #expect(missing.contains(#""hashBefore":"unreadable""#))
        #expect(missing.contains(#""hashAfter":"\#(roots[1])""#))
        #expect(missing.contains(#""shard":"1""#) && missing.contains(#""attempt":"1""#))
        let corrupt = try #require(records.first { $0.contains(#""was":"corrupt""#) })
        #expect(corrupt.contains(#""hashAfter":"\#(roots[4])""#))
        #expect(!corrupt.contains(#""hashBefore":"\#(roots[4])""#) && !corrupt.contains("unreadable"))
        #expect(try await service(harness, queue).repairPass() == 0)
    }

    @Test func theShardOfAStoreThatIsAwayIsRebuiltOnAnotherAndItsOldOneGoes() async throws {
        let harness = try await WorkerHarness(stores: 7)
        let blob = try await harness.keep(bytes, counter: 1)
        let home = try await harness.home(of: 3, blob)
        harness.faulty[home].isAvailable = false
        let queue = try await queue(harness, [(blob.name, [3], .unavailable)])
        let service = service(harness, queue)
        // It may come back.
        #expect(try await service.repairPass() == 0)
        harness.environment.advance(by: .seconds(900))
        #expect(try await service.repairPass() == 1)
        let locator = try #require(try await harness.locator(blob.name))
        #expect(try await harness.pool.verify(locator).allSatisfy { $0.state == .sound })
        #expect(locator.exceptions.map(\.index) == [3])
        #expect(try await records(harness).map { $0.contains(#""was":"unreachable""#) } == [true])
        harness.faulty[home].isAvailable = true
        // What could not be removed then is surplus now, which the collector of orphans finds.
        try await expectWhole(blob, harness, shards: 7)
    }

    @Test func aStoreThatKeepsOtherBytesThanItTookIsCaught() async throws {
        let stores = Collected<LyingStore>()
        let harness = try await WorkerHarness(wrap: { base in
            let store = LyingStore(base)
            stores.add(store)
            return store
        })
        let blob = try await harness.keep(bytes, counter: 1)
        try await harness.lose(2, of: blob)
        let queue = try await queue(harness, [(blob.name, [2], .missing)])
        let service = service(harness, queue) { $0.firstRetry = .seconds(30) }
        for store in stores.values { store.lie(true) }
        #expect(try await service.repairPass() == 1)
        // Nothing is said to be repaired, and nothing of the lie is left.
        let row = try #require(try await damaged(blob.name, harness))
        #expect(row.attempts == 1 && row.broken == 0b100)
        #expect(row.notBefore == harness.environment.now() + .seconds(30))
        #expect(try await harness.shards().count == 5)
        #expect(try await records(harness).isEmpty)
        #expect(try await harness.locator(blob.name) == blob)
        harness.environment.advance(by: .seconds(29))
        #expect(try await service.repairPass() == 0)
        harness.environment.advance(by: .seconds(1))
        #expect(try await service.repairPass() == 1)
        #expect(try await damaged(blob.name, harness)?.notBefore == harness.environment.now() + .seconds(60))
        for store in stores.values { store.lie(false) }
        harness.environment.advance(by: .seconds(60))
        #expect(try await service.repairPass() == 1)
        try await expectWhole(blob, harness)
    }

    @Test func whatIsPutOffIsRepairedAtOnceForWhoeverAsks() async throws {
        let stores = Collected<LyingStore>()
        let harness = try await WorkerHarness(wrap: { base in
            let store = LyingStore(base)
            stores.add(store)
            return store
        })
        let (blob, other) = (try await harness.keep(bytes, counter: 1), try await harness.keep(bytes, counter: 2))
        try await harness.lose(2, of: blob)
        let queue = try await queue(
            harness, [(blob.name, [2], .missing), (other.name, [1], .unavailable)])
        let service = service(harness, queue) { $0.firstRetry = .seconds(30) }
        for store in stores.values { store.lie(true) }
        #expect(try await service.repairPass() == 1)
        for store in stores.values { store.lie(false) }
        #expect(try await service.repairPass() == 0)
        try await service.repairWhatIsPutOff()
        try await expectWhole(blob, harness)
        // A store that does not answer may come back yet.
        #expect(try await damaged(other.name, harness)?.unreachable == 0b10)
    }

    @Test func theMostEndangeredBlobsComeFirst() async throws {
        let harness = try await WorkerHarness()
        var blobs: [BlobLocator] = []
        for counter in 0..<5 { blobs.append(try await harness.keep(bytes, counter: UInt64(counter))) }
        // By name 0, 1, 2, 3, 4; by time 4, 3, 2, 1, 0; by danger 1 and 3 before the others.
        let queue = DamageQueue(environment: harness.environment)
        for position in [4, 3, 2, 1, 0] {
            for index in UInt8(0)..<(position % 2 == 1 ? 2 : 1) {
                try await harness.lose(index, of: blobs[position])
                queue.report(
                    blobs[position].name, ShardDamage(index: index, store: nil, kind: .missing, detail: ""))
            }
            try await queue.flush(harness.commits)
            harness.environment.advance(by: .seconds(1))
        }
        let service = service(harness, queue) { ($0.batch, $0.width) = (2, 1) }
        for expected in [[3, 1], [4, 2], [0]] {
            let before = repaired(harness).count
            #expect(try await service.repairPass() == expected.count)
            #expect(Array(repaired(harness)[before...]) == expected.map { blobs[$0].name })
        }
        #expect(try await service.repairPass() == 0)
        for blob in blobs { try await expectWhole(blob, harness) }
    }

    private func repaired(_ harness: WorkerHarness) -> [BlobName] {
        harness.events.all.compactMap { if case .repaired(let name, _) = $0 { name } else { nil } }
    }

    /// What was put off by a clock that was a year ahead is not put off for a year once the clock is right.
    @Test func aClockThatIsSetBackDoesNotPutOffRepairs() async throws {
        let harness = try await WorkerHarness()
        let blob = try await harness.keep(bytes, counter: 1)
        try await harness.lose(2, of: blob)
        let right = harness.environment.now()
        harness.environment.setWallClock(right + .seconds(365 * 86_400))
        let queue = try await queue(harness, [(blob.name, [2], .missing)])
        let service = service(harness, queue)
        harness.environment.setWallClock(right)
        #expect(try await service.repairPass() == 1)
        try await expectWhole(blob, harness)
    }

    /// However many blobs wait for stores that are away, one that can be repaired now is found behind them.
    @Test func blobsThatWaitDoNotHideTheOthers() async throws {
        let harness = try await WorkerHarness()
        for counter in 0..<3000 {
            let name = BlobName(epoch: 1, counter: UInt64(counter), random: 1)
            var row = DamagedRecord(broken: 0, unreachable: 0b111, reported: harness.environment.now())
            row.notBefore = harness.environment.now() + .seconds(900)
            try await harness.commit([.put(Keys.damaged(name), row.encoded)])
        }
        let blob = try await harness.keep(bytes, counter: 100_000)
        try await harness.lose(0, of: blob)
        let queue = try await queue(harness, [(blob.name, [0], .missing)])
        #expect(try await service(harness, queue) { $0.mostConsidered = 10 }.repairPass() == 1)
        try await expectWhole(blob, harness)
    }

    @Test func whatIsReportedMeanwhileIsFoundSoonAlthoughTheQueueIsLong() async throws {
        let harness = try await WorkerHarness()
        var blobs: [BlobLocator] = []
        for counter in 0..<6 { blobs.append(try await harness.keep(bytes, counter: UInt64(counter))) }
        for blob in blobs[..<5] { try await harness.lose(0, of: blob) }
        let queue = try await queue(harness, blobs[..<5].map { ($0.name, [0], .missing) })
        let service = service(harness, queue) { $0.batch = 1 }
        #expect(try await service.repairPass() == 1)
        for index in [UInt8(1), 2] {
            try await harness.lose(index, of: blobs[5])
            queue.report(blobs[5].name, ShardDamage(index: index, store: nil, kind: .missing, detail: ""))
        }
        try await queue.flush(harness.commits)
        harness.environment.advance(by: .seconds(31))
        #expect(try await service.repairPass() == 1)
        #expect(repaired(harness).last == blobs[5].name)
    }

    /// The process dies after it has written and read back new shards, and before it commits where they are.
    @Test func aCrashBeforeTheCommitLeavesOrphansAndNothingElse() async throws {
        let index = MemoryIndex()
        let watched = WatchedIndex(index)
        let harness = try await WorkerHarness(index: index, watched: watched)
        let blob = try await harness.keep(bytes, counter: 1)
        try await harness.flip(2, of: blob, byte: 100)
        try await harness.lose(5, of: blob)
        let queue = try await queue(harness, [(blob.name, [2, 5], .corrupt)])
        watched.onCommit { (_) async throws(MetadataError) in throw .notCommitted("the process died") }
        do throws(WorkerError) {
            _ = try await service(harness, queue).repairPass()
            Issue.record("the repair ended")
        } catch {
            guard case .index(.notCommitted) = error else { throw error }
        }
        let written = try await harness.shards().filter { $0.name.shard?.attempt == 1 }
        #expect(Set(written.map(\.name.shard?.index)) == [2, 5])
        #expect(try await harness.locator(blob.name) == blob)
        #expect(try await harness.fetch(blob) == bytes)
        #expect(try await records(harness).isEmpty)
        // The next process repairs the blob again, under the same attempts, whose bytes are the same.
        let next = try await harness.restarted()
        #expect(try await service(next, DamageQueue(environment: next.environment)).repairPass() == 1)
        try await expectWhole(blob, next)
        #expect(try await records(next).count == 2)
    }

    @Test func aBlobThatIsDeletedWhileItIsRepairedLeavesNothing() async throws {
        let index = MemoryIndex()
        let watched = WatchedIndex(index)
        let harness = try await WorkerHarness(index: index, watched: watched)
        let blob = try await harness.keep(bytes, counter: 1)
        try await harness.lose(2, of: blob)
        let queue = try await queue(harness, [(blob.name, [2], .missing)])
        watched.once(.prefix(Keys.blob(blob.name))) { (_) async throws(MetadataError) in
            // As the trash collector condemns it.
            let condemned = TrashRecord(state: .condemned, location: WorkerHarness.location(blob))
            _ = try await index.commit(
                Transaction(
                    id: TransactionID(epoch: .max, counter: .max),
                    mutations: [
                        .remove(Keys.blob(blob.name)), .remove(Keys.reference(blob.name, 1)),
                        .put(Keys.trash(blob.name), condemned.encoded),
                    ]))
        }
        let service = service(harness, queue)
        #expect(try await service.repairPass() == 1)
        #expect(try await harness.shards().count == 5)
        #expect(try await harness.value(Keys.blob(blob.name)) == nil)
        #expect(try await records(harness).isEmpty)
        // Its place on the queue goes with it.
        harness.environment.advance(by: .seconds(3600))
        #expect(try await service.repairPass() == 1)
        #expect(try await damaged(blob.name, harness) == nil)
        let trash = TrashCollector(
            commits: harness.commits, pool: harness.pool, horizon: harness.horizon, claims: harness.claims,
            environment: harness.environment)
        #expect(try await trash.pass().deleted == 1)
        #expect(try await harness.shards().isEmpty)
    }

    /// A collector that meets a blob under repair waits for the next pass.
    @Test func aBlobUnderRepairIsNotRemovedUnderIt() async throws {
        let index = MemoryIndex()
        let watched = WatchedIndex(index)
        let harness = try await WorkerHarness(index: index, watched: watched)
        let blob = try await harness.keep(bytes, counter: 1)
        try await harness.lose(2, of: blob)
        let queue = try await queue(harness, [(blob.name, [2], .missing)])
        let trash = TrashCollector(
            commits: WorkerCommits(index: index, epoch: harness.session.gateway), pool: harness.pool,
            horizon: harness.horizon, claims: harness.claims, environment: harness.environment)
        watched.once(.prefix(Keys.blob(blob.name))) { (_) async throws(MetadataError) in
            do {
                try await harness.release(blob.name, reference: 1)
                let done = try await trash.pass()
                #expect(done.condemned == 1 && done.waiting == 1 && done.deleted == 0)
            } catch {
                Issue.record(error)
            }
        }
        #expect(try await service(harness, queue).repairPass() == 1)
        #expect(try await harness.shards().count == 5)
        #expect(try await trash.pass().deleted == 1)
        #expect(try await harness.shards().isEmpty)
    }

    @Test func damageThatIsReportedDuringARepairStaysOnTheQueue() async throws {
        let index = MemoryIndex()
        let watched = WatchedIndex(index)
        let harness = try await WorkerHarness(index: index, watched: watched)
        let blob = try await harness.keep(bytes, counter: 1)
        try await harness.lose(2, of: blob)
        let queue = try await queue(harness, [(blob.name, [2], .missing)])
        watched.once(.prefix(Keys.blob(blob.name))) { (_) async throws(MetadataError) in
            let row = DamagedRecord(broken: 0b1100, reported: Timestamp(seconds: 1))
            _ = try await index.commit(
                Transaction(
                    id: TransactionID(epoch: .max, counter: .max),
                    mutations: [.put(Keys.damaged(blob.name), row.encoded)]))
        }
        let service = service(harness, queue)
        #expect(try await service.repairPass() == 1)
        #expect(try await records(harness).count == 1)
        #expect(try await damaged(blob.name, harness)?.broken == 0b1100)
        #expect(try await service.repairPass() == 1)
        try await expectWhole(blob, harness)
    }

    @Test func whatARepairReplacesStaysForTheReadsThatBeganBefore() async throws {
        let harness = try await WorkerHarness()
        let blob = try await harness.keep(bytes, counter: 1)
        try await harness.flip(2, of: blob, byte: 100)
        let queue = try await queue(harness, [(blob.name, [2], .corrupt)])
        let service = service(harness, queue)
        let reading = harness.horizon.begin()
        #expect(try await service.repairPass() == 1)
        try await expectWhole(blob, harness, shards: 7)
        #expect(try await harness.fetch(blob) == bytes)
        try await service.repairPass()
        #expect(try await harness.shards().count == 7)
        harness.horizon.end(reading)
        try await service.repairPass()
        try await expectWhole(blob, harness)
    }

    @Test func aBlobThatCannotBeRepairedIsTriedEverLaterAndHoldsUpNoOther() async throws {
        let harness = try await WorkerHarness()
        let (lost, blob) = (try await harness.keep(bytes, counter: 1), try await harness.keep(bytes, counter: 2))
        for index in UInt8(0)..<3 { try await harness.lose(index, of: lost) }
        try await harness.lose(0, of: blob)
        let queue = try await queue(harness, [(lost.name, [0, 1, 2], .missing), (blob.name, [0], .missing)])
        let service = service(harness, queue) { ($0.firstRetry, $0.longestRetry) = (.seconds(30), .seconds(100)) }
        #expect(try await service.repairPass() == 2)
        try await expectWhole(blob, harness)
        for pause in [30, 60, 100, 100] {
            let row = try #require(try await damaged(lost.name, harness))
            #expect(row.notBefore == harness.environment.now() + .seconds(pause))
            harness.environment.advance(by: .seconds(pause))
            #expect(try await service.repairPass() == 1)
        }
        #expect(try await harness.locator(lost.name) == lost)
        #expect(try await harness.shards().count { $0.name.whole == lost.name } == 3)
    }

    @Test func aProcessThatWasReplacedRepairsNothing() async throws {
        let harness = try await WorkerHarness()
        let blob = try await harness.keep(bytes, counter: 1)
        try await harness.lose(2, of: blob)
        let queue = try await queue(harness, [(blob.name, [2], .missing)])
        let next = try await harness.restarted()
        do throws(WorkerError) {
            _ = try await service(harness, queue).repairPass()
            Issue.record("the pass went on")
        } catch {
            guard case .fenced = error else { throw error }
        }
        #expect(try await harness.locator(blob.name) == blob)
        #expect(try await service(next, queue).repairPass() == 1)
        try await expectWhole(blob, next)
    }

    @Test func theServiceRepairsWhatIsReportedAndTellsWhatItDropped() async throws {
        let harness = try await WorkerHarness()
        let blobs = [try await harness.keep(bytes, counter: 1), try await harness.keep(bytes, counter: 2)]
        for blob in blobs { try await harness.lose(2, of: blob) }
        let queue = DamageQueue(environment: harness.environment, capacity: 1)
        for blob in blobs { queue.report(blob.name, ShardDamage(index: 2, store: nil, kind: .missing, detail: "")) }
        let service = service(harness, queue)
        let running = Task { await service.run() }
        try await eventually("the first blob is repaired") { repaired(harness) == [blobs[0].name] }
        queue.report(blobs[1].name, ShardDamage(index: 2, store: nil, kind: .missing, detail: ""))
        try await eventually("the second blob is repaired") { repaired(harness).count == 2 }
        running.cancel()
        await running.value
        for blob in blobs { try await expectWhole(blob, harness) }
        #expect(harness.events.all.contains { if case .damageReportsDropped(1) = $0 { true } else { false } })
    }
}
