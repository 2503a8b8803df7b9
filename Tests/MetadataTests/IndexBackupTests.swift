import EmbeddedIndex
import IndexBackup
import Metadata
import NIOCore
import Primitives
import Storage
import Testing
import TidegateTesting

/// Three stores, each of which can be switched off, and the writes of a random history.
private struct Fixture {
    let environment = SimulatedEnvironment(seed: 5)
    let bases = (0..<3).map { _ in MemoryStore() }
    let stores: [FaultyStore]
    let random: LawRandom
    let ids = TransactionIDs(epoch: 1)

    init(seed: UInt64) {
        let environment = environment
        stores = bases.map { FaultyStore($0, environment: environment) }
        random = LawRandom(seed: seed)
    }

    func backup(
        of index: any SnapshottingIndex, in numbers: Range<Int> = 0..<3, copies: Int = 2, epoch: UInt32 = 1,
        options: IndexBackup.Options = IndexBackup.Options()
    ) -> IndexBackup {
        IndexBackup(
            of: index, in: Array(stores[numbers]), copies: copies, epoch: epoch, environment: environment,
            options: options)
    }

    func restore(into index: any RestorableIndex) async throws -> IndexRecoveryReport {
        try await IndexRecovery.restore(from: stores, into: index, patience: StorePatience(environment))
    }

    func write(_ count: Int, to index: any MetadataIndex) async {
        for _ in 0..<count {
            do throws(MetadataError) {
                _ = try await index.commit(Transaction(id: ids.next(), mutations: random.mutations()))
            } catch {
                // A history may add to what is no counter; the commit is refused then.
                continue
            }
        }
    }

    func names(_ kind: BlobName.Kind, in store: Int) async throws -> [BlobName] {
        try await bases[store].blobs(after: nil, limit: 10_000).map(\.name).filter { $0.kind == kind }
    }

    /// Cuts the end off, as a disk that was full might, or adds to it.
    func changeLength(of name: BlobName, in store: Int, by count: Int) {
        bases[store].damage(name) { bytes in
            if count < 0 {
                bytes.moveWriterIndex(to: bytes.writerIndex + count)
            } else {
                bytes.writeRepeatingByte(0, count: count)
            }
        }
    }

    func flipBit(of name: BlobName, in store: Int) {
        bases[store].damage(name) { bytes in
            let middle = bytes.readerIndex + bytes.readableBytes / 2
            if let byte: UInt8 = bytes.getInteger(at: middle) { bytes.setInteger(byte ^ 4, at: middle) }
        }
    }
}

/// Every entry with its version, and the last commit.
private func content(_ index: any SnapshottingIndex) async throws -> ([Entry], CommitVersion) {
    let snapshot = try await index.snapshot()
    var entries: [Entry] = []
    while let batch = try await snapshot.next() { entries += batch }
    await snapshot.close()
    return (entries, snapshot.version)
}

private func expectSame(_ restored: any SnapshottingIndex, _ index: any SnapshottingIndex) async throws {
    let (expected, last) = try await content(index)
    let (seen, restoredLast) = try await content(restored)
    #expect(seen == expected)
    #expect(restoredLast == last)
}

@Suite struct IndexAgeTests {
    private static func newer(
        _ fixture: Fixture, than last: CommitVersion, nextEpoch: UInt64
    ) async -> IndexAge.Newer? {
        await IndexAge.newer(
            than: last, nextEpoch: nextEpoch, in: fixture.stores, patience: StorePatience(fixture.environment))
    }

    @Test("An index that ends before the journal of its last writer does is an old copy", arguments: [1, 2, 3])
    func sameWriter(_ seed: UInt64) async throws {
        let fixture = Fixture(seed: seed)
        let index = MemoryIndex()
        let backup = fixture.backup(of: index, epoch: 7)
        #expect(await Self.newer(fixture, than: 0, nextEpoch: 8) == nil, "empty stores know of nothing")
        var ends: [CommitVersion] = []
        for _ in 0..<4 {
            await fixture.write(10, to: index)
            try await backup.flush()
            ends.append(try await index.kept().last)
        }
        let last = try #require(ends.last)
        #expect(await Self.newer(fixture, than: last, nextEpoch: 8) == nil)
        // Commits that the journal has not got yet make no index old.
        #expect(await Self.newer(fixture, than: last + 5, nextEpoch: 8) == nil)
        for old in ends.dropLast() + [last - 1, 0] {
            let newer = await Self.newer(fixture, than: old, nextEpoch: 8)
            #expect(newer?.epoch == 7)
            #expect((newer?.commit ?? 0) > old)
        }
        // One store is enough to know it.
        for down in 0..<3 {
            for other in 0..<3 where other != down { fixture.stores[other].isAvailable = false }
            #expect(await Self.newer(fixture, than: 0, nextEpoch: 8) != nil)
            for other in 0..<3 { fixture.stores[other].isAvailable = true }
        }
    }

    @Test("A later writer makes an index old, whatever its commits; an earlier one does not")
    func writers() async throws {
        let fixture = Fixture(seed: 4)
        let index = MemoryIndex()
        await fixture.write(20, to: index)
        try await fixture.backup(of: index, epoch: 7).flush()
        #expect(await Self.newer(fixture, than: 1000, nextEpoch: 7)?.epoch == 7)
        // A recovered index can lack commits of the writers before it.
        #expect(await Self.newer(fixture, than: 3, nextEpoch: 9) == nil)
        #expect(await Self.newer(fixture, than: 3, nextEpoch: 8)?.epoch == 7)
    }
}

@Suite struct IndexBackupTests {
    @Test(arguments: IndexCandidate.all, [1, 2, 3])
    func entriesAndVersionsComeBackFromStoresAlone(_ candidate: IndexCandidate, _ seed: UInt64) async throws {
        let fixture = Fixture(seed: seed)
        try await candidate.withIndex { index in
            var options = IndexBackup.Options()
            options.partBytes = 200
            let backup = fixture.backup(of: index, options: options)
            for _ in 0..<8 {
                await fixture.write(25, to: index)
                try await backup.flush()
                if fixture.random.below(3) == 0 { try await backup.takeSnapshot() }
            }
            try await candidate.withIndex { restored in
                let report = try await fixture.restore(into: restored)
                try await expectSame(restored, index)
                #expect(report.completeThrough == (try await index.kept().last))
                #expect(report.journalGoesOnAt == nil)
                #expect(report.damagedCopies.isEmpty && report.unreachableStores.isEmpty)
                // The next commit is a later one than any before.
                let version = try await restored.commit(Transaction(id: TransactionID(epoch: 2, counter: 1)))
                #expect(version == report.completeThrough + 1)
            }
        }
    }

    @Test(arguments: 0..<3) func anyStoreMayBeGone(_ missing: Int) async throws {
        let fixture = Fixture(seed: 4)
        let index = MemoryIndex()
        let backup = fixture.backup(of: index)
        for _ in 0..<5 {
            await fixture.write(20, to: index)
            try await backup.flush()
        }
        fixture.stores[missing].isAvailable = false
        let restored = MemoryIndex()
        let report = try await fixture.restore(into: restored)
        #expect(report.unreachableStores == [missing])
        try await expectSame(restored, index)
    }

    @Test func anyCopyMayBeDamaged() async throws {
        let fixture = Fixture(seed: 5)
        let index = MemoryIndex()
        let backup = fixture.backup(of: index)
        for _ in 0..<4 {
            await fixture.write(20, to: index)
            try await backup.flush()
        }
        for store in 0..<3 {
            for kind in [BlobName.Kind.journal, .snapshot] {
                for name in try await fixture.names(kind, in: store) {
                    fixture.flipBit(of: name, in: store)
                    let restored = MemoryIndex()
                    let report = try await fixture.restore(into: restored)
                    #expect(report.damagedCopies.allSatisfy { $0.store == store && $0.name == name })
                    try await expectSame(restored, index)
                    fixture.flipBit(of: name, in: store)
                }
            }
        }
    }

    @Test("A copy that is shorter or longer hides no other", arguments: [-1, -60, 5], 0..<3)
    func anyCopyMayHaveAnotherLength(_ change: Int, _ store: Int) async throws {
        let fixture = Fixture(seed: 6)
        let index = MemoryIndex()
        let backup = fixture.backup(of: index)
        for _ in 0..<4 {
            await fixture.write(20, to: index)
            try await backup.flush()
        }
        var changed = 0
        for kind in [BlobName.Kind.journal, .snapshot] {
            for name in try await fixture.names(kind, in: store) {
                fixture.changeLength(of: name, in: store, by: change)
                changed += 1
            }
        }
        let restored = MemoryIndex()
        let report = try await fixture.restore(into: restored)
        #expect(changed > 0 && report.damagedCopies.allSatisfy { $0.store == store })
        try await expectSame(restored, index)
    }

    @Test func theChainEndsWhereASegmentIsLostEverywhere() async throws {
        let fixture = Fixture(seed: 6)
        let index = MemoryIndex()
        let backup = fixture.backup(of: index, copies: 3)
        try await backup.flush()
        var ends: [CommitVersion] = [0]
        for _ in 0..<3 {
            await fixture.write(20, to: index)
            try await backup.flush()
            ends.append(try await index.kept().last)
        }
        let second = try await fixture.names(.journal, in: 0)[1]
        for store in fixture.bases { try await store.delete(second) }
        let report = try await fixture.restore(into: MemoryIndex())
        #expect(report.completeThrough == ends[1])
        #expect(report.journalGoesOnAt == ends[2] + 1)
    }

    @Test func aProcessGoesOnWithTheChainOfTheOneBefore() async throws {
        try await withTemporaryDirectory { directory in
            let fixture = Fixture(seed: 7)
            let path = directory + "/index"
            for epoch in UInt32(1)...4 {
                let index = try await EmbeddedIndex.open(path: path)
                let backup = fixture.backup(of: index, epoch: epoch)
                for _ in 0..<3 {
                    await fixture.write(10, to: index)
                    try await backup.flush()
                }
                // These are committed but not journalled when the process ends.
                await fixture.write(10, to: index)
                await index.close()
            }
            let index = try await EmbeddedIndex.open(path: path)
            try await fixture.backup(of: index, epoch: 5).flush()
            var epochs: Set<UInt32> = []
            for store in 0..<3 { epochs.formUnion(try await fixture.names(.snapshot, in: store).map(\.epoch)) }
            #expect(epochs == [1])
            let restored = MemoryIndex()
            let report = try await fixture.restore(into: restored)
            #expect(report.highestEpoch == 5)
            try await expectSame(restored, index)
            await index.close()
        }
    }

    @Test func aRestoredIndexHoldsAgainstTheLostTailOfTheOneBefore() async throws {
        let fixture = Fixture(seed: 8)
        let index = MemoryIndex()
        let backup = fixture.backup(of: index, in: 0..<1, copies: 1)
        try await backup.flush()
        await fixture.write(20, to: index)
        try await backup.flush()
        await fixture.write(5, to: index)
        try await backup.flush()
        // The first store has it all, and is away while the index is restored from a copy of its beginning.
        let journal = try await fixture.names(.journal, in: 0)
        let first = try #require(journal.first)
        for name in try await fixture.names(.snapshot, in: 0) + [first] {
            var sink: any BodySink = BufferingSink()
            let blobs = try await fixture.bases[0].blobs(after: nil, limit: 100)
            let length = try #require(blobs.first { $0.name == name }).length
            try await fixture.bases[0].read(name, range: 0..<length, into: &sink)
            let bytes = try #require(sink as? BufferingSink).bytes
            _ = try await fixture.bases[1].write(name, Body(bytes))
        }
        fixture.stores[0].isAvailable = false
        let restored = MemoryIndex()
        let report = try await fixture.restore(into: restored)
        #expect(report.completeThrough < (try await index.kept().last))
        let next = fixture.backup(of: restored, in: 1..<3, copies: 1, epoch: report.highestEpoch + 1)
        for _ in 0..<3 {
            await fixture.write(8, to: restored)
            try await next.flush()
        }
        fixture.stores[0].isAvailable = true
        let again = MemoryIndex()
        _ = try await fixture.restore(into: again)
        try await expectSame(again, restored)
    }

    @Test func anIncompleteSnapshotIsPassedOver() async throws {
        let fixture = Fixture(seed: 9)
        let index = MemoryIndex()
        var options = IndexBackup.Options()
        options.partBytes = 100
        let backup = fixture.backup(of: index, copies: 3, options: options)
        await fixture.write(40, to: index)
        try await backup.flush()
        try await backup.takeSnapshot()
        await fixture.write(40, to: index)
        try await backup.flush()
        let newest = try #require(try await fixture.names(.snapshot, in: 0).last)
        for store in fixture.bases { try await store.delete(newest) }
        let restored = MemoryIndex()
        let report = try await fixture.restore(into: restored)
        #expect(report.brokenSnapshots == 1)
        try await expectSame(restored, index)
    }

    @Test func snapshotsForgetWhatIsNeedlessAndNothingElse() async throws {
        let fixture = Fixture(seed: 10)
        let index = MemoryIndex()
        let backup = fixture.backup(of: index, copies: 3)
        for _ in 0..<6 {
            for _ in 0..<4 {
                await fixture.write(5, to: index)
                try await backup.flush()
            }
            try await backup.takeSnapshot()
            let restored = MemoryIndex()
            _ = try await fixture.restore(into: restored)
            try await expectSame(restored, index)
        }
        let snapshots = try await fixture.names(.snapshot, in: 0)
        #expect(Set(snapshots.map(\.counter)).count == 2)
        #expect(try await fixture.names(.journal, in: 0).count <= 6)
        // The older of the two snapshots and its journal still give everything.
        for store in fixture.bases {
            for name in snapshots where name.counter == snapshots.last?.counter { try await store.delete(name) }
        }
        let restored = MemoryIndex()
        _ = try await fixture.restore(into: restored)
        try await expectSame(restored, index)
    }

    @Test func aCommitOfTheJournaledIndexReturnsOnlyWithItsCopies() async throws {
        let fixture = Fixture(seed: 11)
        let index = MemoryIndex()
        let backup = fixture.backup(of: index, copies: 2)
        let journaled = JournaledIndex(index, backup: backup)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<40 { group.addTask { await fixture.write(3, to: journaled) } }
        }
        let restored = MemoryIndex()
        _ = try await fixture.restore(into: restored)
        try await expectSame(restored, index)
        let journal = try await fixture.names(.journal, in: 0).count
        #expect(journal < 120)
        fixture.stores[0].isAvailable = false
        fixture.stores[1].isAvailable = false
        let id = TransactionID(epoch: 9, counter: 1)
        await #expect(throws: MetadataError.unknown(IndexBackupError.tooFewCopies(stored: 1, needed: 2).description)) {
            try await journaled.commit(Transaction(id: id))
        }
        // It was applied; but what may still be lost with the index's disk is not told as done.
        #expect(try await index.outcome(of: id) != nil)
        await #expect(throws: MetadataError.unknown(IndexBackupError.tooFewCopies(stored: 1, needed: 2).description)) {
            try await journaled.outcome(of: id)
        }
        fixture.stores[0].isAvailable = true
        try await backup.flush()
        #expect(try await journaled.outcome(of: id) != nil)
        #expect(backup.status.journalledThrough == (try await index.kept().last))
        let again = MemoryIndex()
        _ = try await fixture.restore(into: again)
        try await expectSame(again, index)
    }

    @Test func theChainBeginsAnewWhereTheIndexForgotWhileTheStoresWereAway() async throws {
        let fixture = Fixture(seed: 12)
        let index = MemoryIndex(commitsKept: 4)
        let backup = fixture.backup(of: index)
        await fixture.write(10, to: index)
        try await backup.flush()
        for store in fixture.stores { store.isAvailable = false }
        await fixture.write(300, to: index)
        await #expect(throws: IndexBackupError.self) { try await backup.flush() }
        for store in fixture.stores { store.isAvailable = true }
        try await backup.flush()
        await fixture.write(10, to: index)
        try await backup.flush()
        let restored = MemoryIndex()
        _ = try await fixture.restore(into: restored)
        try await expectSame(restored, index)
    }

    @Test func storesWithoutASnapshotGiveNoIndex() async throws {
        let fixture = Fixture(seed: 13)
        await #expect(throws: IndexBackupError.self) {
            _ = try await fixture.restore(into: MemoryIndex())
        }
    }
}
