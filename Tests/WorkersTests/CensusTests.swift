import Durability
import Erasure
import Metadata
import Pools
import Primitives
import Storage
import Testing
import TidegateTesting

@testable import Workers

/// How far blobs are from their loss, against what reading every shard finds.
@Suite struct CensusTests {
    private let placements = [Placement(epoch: 0, stores: [0, 1, 2, 3, 4, 5])]

    private func views(_ away: Set<Int> = [], buffered: Set<Int> = [], domains: [Int]? = nil) -> [StoreView] {
        (0..<6).map { store in
            StoreView(
                isReached: !away.contains(store), isBuffered: buffered.contains(store),
                domain: domains?[store] ?? store)
        }
    }

    private func take(
        _ harness: WorkerHarness, _ stores: [StoreView], within: Duration = .seconds(86_400)
    ) async throws -> DistanceCensus {
        try await CensusTaker(harness.index, environment: harness.environment).take(stores, placements, within: within)
    }

    @Test func everyDistanceIsTheOneThatReadingFinds() async throws {
        let harness = try await WorkerHarness()
        var random = SeededGenerator(seed: 4)
        var blobs: [BlobLocator] = []
        for counter in 0..<24 {
            blobs.append(try await harness.keep(random.bytes(100), counter: UInt64(counter)))
        }
        for (number, blob) in blobs.enumerated() {
            for _ in 0..<(number % 3) { try await harness.lose(UInt8.random(in: 0..<6, using: &random), of: blob) }
        }
        // A scrub finds what is lost, and puts it on the queue of repairs.
        let queue = DamageQueue(environment: harness.environment)
        let scrubber = Scrubber(
            commits: harness.commits, pool: harness.pool, queue: queue, environment: harness.environment)
        _ = try await scrubber.pass()
        for away: Set<Int> in [[], [2], [0, 5], [1, 2, 3]] {
            for store in 0..<6 { harness.faulty[store].isAvailable = !away.contains(store) }
            var wanted: [Int: Int] = [:]
            for blob in blobs {
                let sound = try await harness.pool.verify(blob).count { $0.state == .sound || $0.state == .crowded }
                wanted[sound - 4, default: 0] += 1
            }
            let census = try await take(harness, views(away))
            let found = try #require(census.byRedundancy[Redundancy(4, 2)])
            #expect(found.byDistance.mapValues(\.blobs) == wanted)
            #expect(found.withoutBuffered == found.byDistance)
            #expect(found.byDomains == found.byDistance)
            #expect(census.total.blobs == 24 && census.total.bytes == 2400 && census.byRedundancy.count == 1)
            #expect(census.damaged == (try await harness.rows(Keys.blobs("d")).count))
            #expect(found.least == wanted.keys.min())
        }
    }

    @Test func theBytesOnEachStoreAreThoseThatItHolds() async throws {
        let harness = try await WorkerHarness()
        var random = SeededGenerator(seed: 7)
        var held = [Int: Int64]()
        for (counter, length) in [0, 1, 100, 5000, 70_000, 1_000_000].enumerated() {
            _ = try await harness.keep(random.bytes(length), counter: UInt64(counter))
        }
        for (store, memory) in harness.memory.enumerated() {
            // Whoever counts does not know the recovery record of each shard.
            let recovery = Int64("recovery".utf8.count)
            for blob in try await memory.blobs(after: nil, limit: 1000) {
                held[store, default: 0] += blob.length - recovery
            }
        }
        #expect(held.count == 6)
        for away: Set<Int> in [[], [1, 2, 3]] {
            #expect(try await take(harness, views(away)).bytesOnStore == held)
        }
    }

    @Test func whatIsRepairedIsFarFromLossAgain() async throws {
        let harness = try await WorkerHarness()
        let blob = try await harness.keep([1, 2, 3], counter: 1)
        try await harness.lose(1, of: blob)
        let queue = DamageQueue(environment: harness.environment)
        queue.report(blob.name, ShardDamage(index: 1, store: nil, kind: .missing, detail: ""))
        queue.report(blob.name, ShardDamage(index: 2, store: nil, kind: .crowded, detail: ""))
        queue.report(blob.name, ShardDamage(index: 3, store: nil, kind: .unavailable, detail: ""))
        try await queue.flush(harness.commits)
        // A shard that is only to move is there, and one that did not answer is there once its store answers.
        #expect(try await take(harness, views()).byRedundancy[Redundancy(4, 2)]?.least == 1)
        let repair = RepairService(
            commits: harness.commits, pool: harness.pool, queue: queue, horizon: harness.horizon,
            claims: harness.claims, environment: harness.environment, region: "here")
        #expect(try await repair.repairPass() == 1)
        let census = try await take(harness, views())
        #expect(census.byRedundancy[Redundancy(4, 2)]?.least == 2 && census.damaged == 0)
    }

    @Test func bufferedStoresAndDomainsAreCountedApart() async throws {
        let harness = try await WorkerHarness()
        for counter in 0..<8 { _ = try await harness.keep([9], counter: UInt64(counter)) }
        let census = try await take(harness, views(buffered: [1, 4], domains: [0, 0, 1, 1, 2, 2]))
        let found = try #require(census.byRedundancy[Redundancy(4, 2)])
        #expect(found.byDistance.keys.sorted() == [2])
        #expect(found.withoutBuffered.keys.sorted() == [0])
        // Two shards in each of three domains: one of them may be lost, whichever it is.
        #expect(found.byDomains.keys.sorted() == [1])
        let less = try await take(harness, views([3], domains: [0, 0, 1, 1, 2, 2]))
        #expect(less.byRedundancy[Redundancy(4, 2)]?.byDomains.keys.sorted() == [0])
        let lost = try await take(harness, views([0, 3, 4], domains: [0, 0, 1, 1, 2, 2]))
        #expect(lost.byRedundancy[Redundancy(4, 2)]?.byDomains.keys.sorted() == [-1])
    }

    /// Against every set of domains that could be lost.
    @Test func domainsToSpareAreThoseOfEverySet() throws {
        var random = SeededGenerator(seed: 8)
        for _ in 0..<300 {
            let shards = Int.random(in: 1...9, using: &random)
            let dataShards = Int.random(in: 1...shards, using: &random)
            let locator = BlobLocator(
                name: BlobName(epoch: 1, counter: 1, random: 1), length: 1,
                geometry: try Geometry(dataShards: dataShards, parityShards: shards - dataShards, cellSize: 64),
                placementEpoch: 0)
            let domains = (0..<shards).map { _ in Int.random(in: 0..<5, using: &random) }
            let away = (0..<shards).map { _ in Int.random(in: 0..<6, using: &random) == 0 }
            var census = DistanceCensus()
            let views = domains.indices.map { StoreView(isReached: !away[$0], domain: domains[$0]) }
            census.add(locator, homes: domains.indices.map { $0 }, lost: 0, views)
            let held = domains.indices.filter { !away[$0] }
            var wanted = held.count - dataShards
            if wanted >= 0 {
                wanted = 0
                // The largest number of which every set leaves enough.
                for size in 1...5 {
                    let isSafe = (0..<32).filter { $0.nonzeroBitCount == size }.allSatisfy { lost in
                        held.count { lost >> domains[$0] & 1 == 0 } >= dataShards
                    }
                    guard isSafe else { break }
                    wanted = size
                }
            }
            let found = census.byRedundancy[Redundancy(dataShards, shards - dataShards)]?.byDomains.keys.first
            #expect(found == wanted, "\(domains) \(away) \(dataShards)")
        }
    }

    @Test func everyPageIsCounted() async throws {
        let harness = try await WorkerHarness()
        var mutations: [Mutation] = []
        for counter in 0..<2300 {
            let name = BlobName(epoch: 3, counter: UInt64(counter), random: 1)
            let location = BlobLocation(
                length: 10, dataShards: counter % 2 == 0 ? 4 : 1, parityShards: 2, cellSize: 64, placementEpoch: 0,
                exceptions: [])
            mutations.append(.put(Keys.blob(name), BlobRecord(location: location).encoded))
            if counter % 1000 == 999 {
                let row = DamagedRecord(broken: 1, reported: harness.environment.now())
                mutations.append(.put(Keys.damaged(name), row.encoded))
            }
        }
        mutations.append(.put(Keys.blob(BlobName(epoch: 9, counter: 1, random: 1)), [1]))
        mutations.append(.put([0x03, UInt8(ascii: "b"), 1], []))
        for start in stride(from: 0, to: mutations.count, by: 500) {
            try await harness.commit(Array(mutations[start..<min(start + 500, mutations.count)]))
        }
        let census = try await take(harness, views())
        #expect(census.byRedundancy[Redundancy(4, 2)]?.byDistance.mapValues(\.blobs) == [2: 1150])
        #expect(census.byRedundancy[Redundancy(1, 2)]?.byDistance.mapValues(\.blobs) == [2: 1148, 1: 2])
        #expect(census.damaged == 2 && census.unreadable == 2 && census.unread.blobs == 2300)
        #expect(census.oldestRead == nil)
    }

    @Test func itIsToldSinceWhenEachBlobWasRead() async throws {
        let harness = try await WorkerHarness()
        for counter in 0..<4 { _ = try await harness.keep([7], counter: UInt64(counter)) }
        var settings = Scrubber.Settings()
        (settings.bytesPerSecond, settings.pageRows) = (nil, 1)
        let scrubber = Scrubber(
            commits: harness.commits, pool: harness.pool, queue: DamageQueue(environment: harness.environment),
            environment: harness.environment, settings: settings)
        let began = harness.environment.now()
        let first = Task { await scrubber.run() }
        try await eventually("a pass ended") {
            try await ScrubCoverage.read(from: harness.index).complete != nil
        }
        first.cancel()
        await first.value
        // The time passes by weeks here, whenever the scrub rests.
        var census = try await take(harness, views(), within: .seconds(86_400 * 36_500))
        #expect(census.unread.blobs == 0 && census.overdue.blobs == 0)
        let oldest = try #require(census.oldestRead)
        #expect(oldest >= began && oldest <= harness.environment.now())
        // What is written afterwards was not read, and what was read grows old.
        _ = try await harness.keep([8], counter: 9)
        harness.environment.advance(by: .seconds(40 * 86_400))
        census = try await take(harness, views(), within: .seconds(30 * 86_400))
        #expect(census.unread.blobs == 1 && census.overdue.blobs == 4)
    }

    @Test func thePassUnderWayCountsAsFarAsItHasCome() throws {
        let times = (0..<4).map { Timestamp(seconds: Int64($0)) }
        let names = (0..<4).map { BlobName(epoch: 1, counter: UInt64($0), random: 1) }
        let last = ScrubPass(began: times[0], ended: times[1], last: names[2])
        let coverage = ScrubCoverage(began: times[2], cursor: names[0], complete: last)
        #expect(names.map { coverage.read($0) } == [times[2], times[0], times[0], nil])
        #expect(ScrubCoverage(began: times[2], cursor: names[0]).read(names[1]) == nil)
        #expect(ScrubCoverage().read(names[0]) == nil)
        var record = ScrubRecord()
        (record.began, record.cursor, record.complete) = (times[2], names[0], last)
        record.found.bytesRead = 5
        #expect(try ScrubRecord(encoded: record.encoded) == record)
    }

    @Test func aScrubKeepsToTheTimeThatIsSet() {
        var settings = Scrubber.Settings()
        func pass(_ hours: Int64, bytes: Int64 = 0) -> ScrubPass {
            ScrubPass(
                began: Timestamp(seconds: 0), ended: Timestamp(seconds: hours * 3600), last: nil, bytesRead: bytes)
        }
        #expect(ScrubPace.pause(settings, after: pass(1000)) == settings.period)
        settings.within = .seconds(10 * 86_400)
        #expect(ScrubPace.pause(settings, after: nil) == settings.period)
        #expect(ScrubPace.pause(settings, after: pass(24)) == settings.period)
        // Four days and half as much again leave four of ten.
        #expect(ScrubPace.pause(settings, after: pass(96)) == .seconds(4 * 86_400))
        #expect(ScrubPace.pause(settings, after: pass(1000)) == .zero)
        settings.bytesPerSecond = 1000
        #expect(ScrubPace.bytesPerSecond(settings, after: nil) == 1000)
        #expect(ScrubPace.bytesPerSecond(settings, after: pass(1, bytes: 1_000_000)) == 1000)
        // Five days have 432,000 seconds.
        #expect(ScrubPace.bytesPerSecond(settings, after: pass(1, bytes: 4_320_000_000)) == 15_000)
        settings.bytesPerSecond = nil
        #expect(ScrubPace.bytesPerSecond(settings, after: pass(1, bytes: 4_320_000_000)) == nil)
    }
}
