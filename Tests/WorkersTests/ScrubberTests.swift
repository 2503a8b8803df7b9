import Metadata
import NIOCore
import Pools
import Primitives
import Storage
import Testing
import TidegateTesting
import Workers

@Suite struct ScrubberTests {
    private let bytes = [UInt8](repeating: 3, count: 100)

    private func scrubber(
        _ harness: WorkerHarness, _ queue: DamageQueue? = nil, _ change: (inout Scrubber.Settings) -> Void = { _ in }
    ) -> Scrubber {
        var settings = Scrubber.Settings()
        settings.bytesPerSecond = nil
        change(&settings)
        return Scrubber(
            commits: harness.commits, pool: harness.pool,
            queue: queue ?? DamageQueue(environment: harness.environment), environment: harness.environment,
            settings: settings, report: { [events = harness.events] in events.add($0) })
    }

    private func scrubs(_ harness: WorkerHarness) -> [ScrubReport] {
        harness.events.all.compactMap { if case .scrubbed(let report) = $0 { report } else { nil } }
    }

    /// Each byte of each shard, whatever it is for: header, cell, checksum, footer, recovery record, trailer.
    @Test func aBitThatFlipsInAnyByteOfAnyShardIsFound() async throws {
        let harness = try await WorkerHarness()
        let blob = try await harness.keep(bytes, counter: 1)
        let scrubber = scrubber(harness)
        #expect(try await scrubber.pass().isClean)
        let length = try #require(try await harness.memory[0].blobs(after: nil, limit: 1).first).length
        #expect(length > 200)
        for byte in 0..<Int(length) {
            for index in UInt8(0)..<3 {
                for shard in [index, index + 3] { try await harness.flip(shard, of: blob, byte: byte) }
                let found = try await scrubber.pass()
                #expect(found.damagedShards == 2 && found.soundShards == 4 && !found.isClean, "byte \(byte)")
                for shard in [index, index + 3] { try await harness.flip(shard, of: blob, byte: byte) }
            }
        }
        #expect(try await scrubber.pass().isClean)
    }

    @Test func aShardOfAnyOtherLengthIsFound() async throws {
        let harness = try await WorkerHarness()
        let blob = try await harness.keep(bytes, counter: 1)
        let (store, name) = (try await harness.home(of: 2, blob), blob.name.shard(2))
        let length = Int(try #require(try await harness.memory[store].blobs(after: nil, limit: 1).first).length)
        for cut in 1...length {
            harness.memory[store].damage(name) { $0.moveWriterIndex(to: $0.writerIndex - cut) }
            #expect(try await scrubber(harness).pass().damagedShards == 1, "\(cut) bytes less")
            harness.memory[store].damage(name) { $0.moveWriterIndex(to: $0.writerIndex + cut) }
        }
        #expect(try await scrubber(harness).pass().isClean)
    }

    @Test func whatIsMissingCorruptOrOutOfReachIsCountedAndQueued() async throws {
        let harness = try await WorkerHarness()
        var blobs: [BlobLocator] = []
        for counter in 0..<4 { blobs.append(try await harness.keep(bytes, counter: UInt64(counter))) }
        try await harness.lose(0, of: blobs[0])
        try await harness.flip(1, of: blobs[1], byte: 80)
        let away = try await harness.home(of: 2, blobs[2])
        harness.faulty[away].isAvailable = false
        let found = try await scrubber(harness) { $0.pageRows = 2 }.pass()
        #expect(found.blobs == 4 && found.isComplete && !found.isClean)
        let rows = try await harness.rows(Keys.blobs("d")).map { try DamagedRecord(encoded: $0.value) }
        #expect(rows.count == 4)
        #expect(rows.allSatisfy { $0.unreachable.nonzeroBitCount + $0.broken.nonzeroBitCount >= 1 })
        // A shard may have been damaged on the store that is away too.
        #expect(found.unreachableShards == 4)
        #expect(found.damagedShards == rows.reduce(0) { $0 + $1.broken.nonzeroBitCount })
        #expect(found.damagedBlobs == 4)
        harness.faulty[away].isAvailable = true
        #expect(try await scrubber(harness).pass().damagedShards == 2)
    }

    /// A blob that was found whole a moment ago is not whole for ever.
    @Test func damageIsQueuedHoweverShortlyAfterACleanScrub() async throws {
        let harness = try await WorkerHarness()
        let blob = try await harness.keep(bytes, counter: 1)
        let queue = DamageQueue(environment: harness.environment)
        let scrubber = scrubber(harness, queue)
        #expect(try await scrubber.pass().isClean)
        // What a read with an old location meets is not believed now.
        queue.report(blob.name, ShardDamage(index: 1, store: nil, kind: .missing, detail: ""))
        #expect(queue.count == 0)
        try await harness.flip(4, of: blob, byte: 80)
        #expect(try await scrubber.pass().damagedShards == 1)
        let row = try DamagedRecord(encoded: try #require(try await harness.value(Keys.damaged(blob.name))))
        #expect(row.broken == 0b1_0000)
    }

    @Test func aScrubThatWasCutShortGoesOnWhereItWas() async throws {
        let index = MemoryIndex()
        let watched = WatchedIndex(index)
        let harness = try await WorkerHarness(index: index, watched: watched)
        for counter in 0..<10 { _ = try await harness.keep(bytes, counter: UInt64(counter)) }
        let commits = EventCounter()
        watched.onCommit { (_) async throws(MetadataError) in
            // The progress of the second page is not kept any more.
            guard commits.next() >= 2 else { return }
            throw .notCommitted("the process died")
        }
        let first = scrubber(harness) { $0.pageRows = 3 }
        let running = Task { await first.run() }
        try await eventually("the second page was scrubbed") { commits.value >= 2 }
        running.cancel()
        await running.value
        #expect(scrubs(harness).isEmpty)
        // Another process.
        let next = try await harness.restarted()
        let second = scrubber(next) { $0.pageRows = 3 }
        let again = Task { await second.run() }
        try await eventually("two passes ended") { scrubs(harness).count >= 2 }
        again.cancel()
        await again.value
        let reports = scrubs(harness)
        // What the first process found counts too, and each blob once.
        #expect(reports[0].blobs == 10 && reports[0].bytes == 1000 && reports[0].isClean)
        #expect(reports[1] == reports[0])
    }

    @Test func aStartBeginsNoScrubBeforeItsTime() async throws {
        let harness = try await WorkerHarness()
        _ = try await harness.keep(bytes, counter: 1)
        let environment = harness.environment
        var ended = RecordWriter()
        ended.number(2, environment.now().nanoseconds)
        try await harness.commit([.put([0x05, UInt8(ascii: "s")], ended.bytes)])
        let began = environment.monotonicNanoseconds()
        let times = Collected<UInt64>()
        var settings = Scrubber.Settings()
        settings.period = .seconds(3600)
        let next = Scrubber(
            commits: harness.commits, pool: harness.pool, queue: DamageQueue(environment: environment),
            environment: environment, settings: settings,
            report: { if case .scrubbed = $0 { times.add(environment.monotonicNanoseconds()) } })
        let running = Task { await next.run() }
        try await eventually("a pass ended") { !times.values.isEmpty }
        running.cancel()
        await running.value
        #expect(try #require(times.values.first) - began >= 3600 * 1_000_000_000)
    }

    @Test func recordsThatCannotBeReadAreCountedAndEndNothing() async throws {
        let harness = try await WorkerHarness()
        let blobs = [try await harness.keep(bytes, counter: 1), try await harness.keep(bytes, counter: 2)]
        try await harness.commit([.put(Keys.blob(blobs[0].name), [0xff])])
        // More keys that are no blobs' than a page holds, before the first blob.
        for number in UInt8(0)..<7 { try await harness.commit([.put([0x03, 0x62, 0, number], [])]) }
        try await harness.flip(0, of: blobs[1], byte: 80)
        let found = try await scrubber(harness) { $0.pageRows = 3 }.pass()
        #expect(found.unreadableBlobs == 8 && found.damagedShards == 1)
        #expect(found.isComplete && !found.isClean)
    }

    @Test func aBlobThatGoesWhileItIsScrubbedIsNotDamaged() async throws {
        let index = MemoryIndex()
        let environment = SimulatedEnvironment()
        let remover = Collected<BlobName>()
        let harness = try await WorkerHarness(
            index: index,
            wrap: { base in
                ReadingStore(base) { name in
                    guard remover.values.contains(name.whole) else { return }
                    do {
                        try await base.delete(name)
                        let id = TransactionID(epoch: .max - 1, counter: environment.random())
                        let removal = Mutation.remove(Keys.blob(name))
                        _ = try await index.commit(Transaction(id: id, mutations: [removal]))
                    } catch {
                        Issue.record(error)
                    }
                }
            })
        let (gone, kept) = (try await harness.keep(bytes, counter: 1), try await harness.keep(bytes, counter: 2))
        remover.add(gone.name)
        let found = try await scrubber(harness).pass()
        #expect(found.blobs == 1 && found.isClean)
        #expect(try await harness.rows(Keys.blobs("d")).isEmpty)
        #expect(try await harness.fetch(kept) == bytes)
    }

    @Test func aScrubIsAsSlowAsItIsTold() async throws {
        let harness = try await WorkerHarness()
        for counter in UInt64(0)..<10 {
            _ = try await harness.keep([UInt8](repeating: 1, count: 40_000), counter: counter)
        }
        let began = harness.environment.monotonicNanoseconds()
        // 60,000 bytes of shards a blob.
        _ = try await scrubber(harness) { $0.bytesPerSecond = 60_000 }.pass()
        #expect(harness.environment.monotonicNanoseconds() - began == 10_000_000_000)
    }
}

/// A store that tells a test of each read before it begins.
private struct ReadingStore: BlobStore {
    let base: MemoryStore
    let onRead: @Sendable (BlobName) async -> Void

    init(_ base: MemoryStore, _ onRead: @escaping @Sendable (BlobName) async -> Void) {
        (self.base, self.onRead) = (base, onRead)
    }

    func write(_ name: BlobName, _ body: consuming Body) async throws(StorageError) -> BlobReceipt {
        try await base.write(name, body)
    }

    func read(_ name: BlobName, range: Range<Int64>, into sink: inout any BodySink) async throws(StorageError) {
        await onRead(name)
        try await base.read(name, range: range, into: &sink)
    }

    func delete(_ name: BlobName) async throws(StorageError) { try await base.delete(name) }

    func blobs(after: BlobName?, limit: Int) async throws(StorageError) -> [BlobSummary] {
        try await base.blobs(after: after, limit: limit)
    }
}
