import Metadata
import Pools
import Primitives
import Storage
import Testing
import TidegateTesting
import Workers

/// Stores that are emptied, and others that are filled.
@Suite struct RelocationTests {
    private let bytes = [UInt8](repeating: 5, count: 9000)
    private let everywhere = Placement(epoch: 0, stores: Array(0..<8))
    private let narrow = Placement(epoch: 1, stores: Array(0..<6))
    private let wide = Placement(epoch: 2, stores: Array(0..<8))

    private func service(
        _ harness: WorkerHarness, _ change: (inout RepairService.Settings) -> Void = { _ in }
    ) -> RepairService {
        var settings = RepairService.Settings()
        change(&settings)
        return RepairService(
            commits: harness.commits, pool: harness.pool, queue: DamageQueue(environment: harness.environment),
            horizon: harness.horizon, claims: harness.claims, environment: harness.environment, region: "us-east-1",
            settings: settings, report: { [events = harness.events] in events.add($0) })
    }

    private func keep(_ count: Int, _ harness: WorkerHarness) async throws -> [BlobName] {
        var names: [BlobName] = []
        for counter in 1...UInt64(count) { names.append(try await harness.keep(bytes, counter: counter).name) }
        return names
    }

    /// Every blob is whole by its record, and nothing lies anywhere that no record names.
    private func expectWhole(_ names: [BlobName], _ harness: WorkerHarness) async throws {
        for name in names {
            let locator = try #require(try await harness.locator(name))
            #expect(try await harness.pool.verify(locator).allSatisfy { $0.state == .sound })
            #expect(try await harness.fetch(locator) == bytes)
        }
        #expect(try await harness.shards().count == names.count * 6)
    }

    private func stores(_ name: BlobName, _ harness: WorkerHarness) async throws -> [UInt16] {
        let locator = try #require(try await harness.locator(name))
        return try await harness.pool.verify(locator).compactMap(\.store)
    }

    @Test(arguments: [1, 8]) func nothingStaysOnStoresThatTheListHasNotAnyMore(width: Int) async throws {
        let harness = try await WorkerHarness(stores: 8)
        let names = try await keep(40, harness)
        try harness.pool.use(harness.faulty, [everywhere, narrow])
        let service = service(harness) { $0.width = width }
        let toMove = try await service.countToMove()
        #expect(toMove > 20)
        var told: [Int] = []
        let report = try await service.relocationPass(progress: { told.append($0.moved) })
        #expect((report.blobs, report.moved, report.left) == (40, toMove, 0))
        #expect(told == Array(1...toMove))
        #expect(try await service.relocationPass().moved == 0)
        try await expectWhole(names, harness)
        #expect(try await harness.shards().allSatisfy { $0.store < 6 })
    }

    @Test func aListWithMoreStoresIsFilledAsNewBlobsWouldFillIt() async throws {
        let harness = try await WorkerHarness(stores: 8)
        try harness.pool.use(harness.faulty, [everywhere, narrow])
        let names = try await keep(40, harness)
        #expect(try await service(harness).countToMove(.toCurrentPlacement) == 0)
        try harness.pool.use(harness.faulty, [everywhere, narrow, wide])
        let service = service(harness)
        let toMove = try await service.countToMove(.toCurrentPlacement)
        #expect(toMove > 20)
        let report = try await service.relocationPass(.toCurrentPlacement)
        #expect((report.blobs, report.moved, report.left) == (40, toMove, 0))
        #expect(try await service.countToMove(.toCurrentPlacement) == 0)
        try await expectWhole(names, harness)
        for name in names {
            #expect(Set(try await stores(name, harness)) == Set(wide.order(for: name).prefix(6)))
        }
        // What moved is as good as new: it bears the loss of any two stores.
        harness.faulty[6].isAvailable = false
        harness.faulty[7].isAvailable = false
        for name in names {
            #expect(try await harness.fetch(try #require(try await harness.locator(name))) == bytes)
        }
    }

    @Test func shardsOfOneDomainAreSpreadOverThoseThatCome() async throws {
        let harness = try await WorkerHarness(stores: 8)
        // Three domains hold two shards of each blob, then there are six.
        let few = Placement(epoch: 1, stores: Array(0..<6), domains: [0, 0, 1, 1, 2, 2])
        let more = Placement(epoch: 2, stores: Array(0..<8), domains: [0, 0, 1, 1, 2, 3, 4, 5])
        try harness.pool.use(harness.faulty, [everywhere, few])
        let names = try await keep(20, harness)
        try harness.pool.use(harness.faulty, [everywhere, few, more])
        let report = try await service(harness).relocationPass(.toCurrentPlacement)
        #expect(report.left == 0 && report.moved == 20)
        try await expectWhole(names, harness)
        for name in names {
            let domains = try await stores(name, harness).map { more.domains[Int($0)] }
            #expect(Set(domains).count == 6)
        }
    }

    @Test func whatAStoreCannotTakeStaysWhereItIsAndGoesLater() async throws {
        let harness = try await WorkerHarness(stores: 8)
        try harness.pool.use(harness.faulty, [everywhere, narrow])
        let names = try await keep(20, harness)
        try harness.pool.use(harness.faulty, [everywhere, narrow, wide])
        harness.faulty[7].isAvailable = false
        let service = service(harness)
        let toMove = try await service.countToMove(.toCurrentPlacement)
        let first = try await service.relocationPass(.toCurrentPlacement)
        #expect(first.left > 0 && first.moved + first.left == toMove)
        try await expectWhole(names, harness)
        #expect(try await harness.shards().allSatisfy { $0.store != 7 })
        harness.faulty[7].isAvailable = true
        let second = try await service.relocationPass(.toCurrentPlacement)
        #expect((second.moved, second.left) == (first.left, 0))
        try await expectWhole(names, harness)
        #expect(try await harness.shards().contains { $0.store == 7 })
    }

    @Test func aDamagedShardIsRepairedBeforeItsBlobMoves() async throws {
        let harness = try await WorkerHarness(stores: 8)
        let names = try await keep(10, harness)
        for name in names {
            try await harness.flip(2, of: try #require(try await harness.locator(name)), byte: 200)
        }
        try harness.pool.use(harness.faulty, [everywhere, narrow])
        let service = service(harness)
        while try await service.relocationPass().left > 0 {}
        #expect(try await harness.shards().allSatisfy { $0.store < 6 })
        for name in names {
            #expect(try await harness.fetch(try #require(try await harness.locator(name))) == bytes)
        }
    }

    @Test func aPassThatIsNotWantedAnyMoreEndsBeforeTheNextPage() async throws {
        let harness = try await WorkerHarness(stores: 8)
        let names = try await keep(5, harness)
        try harness.pool.use(harness.faulty, [everywhere, narrow])
        let report = try await service(harness).relocationPass(while: { false })
        #expect((report.blobs, report.moved, report.left) == (0, 0, 0))
        try await expectWhole(names, harness)
    }

    @Test func aPassThatIsCancelledSaysSoAndLeavesEveryBlobWhole() async throws {
        let harness = try await WorkerHarness(stores: 8)
        let names = try await keep(5, harness)
        try harness.pool.use(harness.faulty, [everywhere, narrow])
        let service = service(harness)
        let task = Task { () async throws(WorkerError) -> RelocationReport in
            while !Task.isCancelled { await Task.yield() }
            return try await service.relocationPass()
        }
        task.cancel()
        await #expect {
            _ = try await task.value
        } throws: {
            if case WorkerError.cancelled = $0 { true } else { false }
        }
        try await expectWhole(names, harness)
    }

    // MARK: The pace

    @Test func movesWriteNoMoreInASecondThanIsSet() async throws {
        let harness = try await WorkerHarness(stores: 8)
        _ = try await keep(20, harness)
        try harness.pool.use(harness.faulty, [everywhere, narrow])
        let before = harness.environment.monotonicNanoseconds()
        let onLeaving = try await harness.shards().count { $0.store > 5 }
        // A shard has 2,250 bytes.
        let service = service(harness) { ($0.bytesPerSecond, $0.width) = (225, 1) }
        #expect(try await service.relocationPass().left == 0)
        let took = Double(harness.environment.monotonicNanoseconds() - before) / 1e9
        // The last one is not waited for.
        #expect(took > Double(onLeaving - 2) * 10 && took <= Double(onLeaving) * 10)
    }

    @Test(arguments: [(1, true), (2, false)]) func whatCanLoseNoShardMoreIsRepairedAtOnce(
        lost: Int, waits: Bool
    ) async throws {
        let harness = try await WorkerHarness()
        let names = try await keep(3, harness)
        let queue = DamageQueue(environment: harness.environment)
        for name in names {
            let locator = try #require(try await harness.locator(name))
            for index in 0..<UInt8(lost) {
                try await harness.lose(index, of: locator)
                queue.report(name, ShardDamage(index: index, store: nil, kind: .missing, detail: ""))
            }
        }
        try await queue.flush(harness.commits)
        let before = harness.environment.monotonicNanoseconds()
        let service = service(harness) { ($0.bytesPerSecond, $0.width) = (225, 1) }
        #expect(try await service.repairPass() == 3)
        let took = Double(harness.environment.monotonicNanoseconds() - before) / 1e9
        #expect(waits ? took >= 20 : took < 1)
        try await expectWhole(names, harness)
    }
}
