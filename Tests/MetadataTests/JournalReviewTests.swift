import IndexBackup
import Metadata
import NIOCore
import Primitives
import Storage
import Testing
import TidegateTesting

/// What the journal still tells of the commits before its end, whatever a recovery began with.
@Suite struct JournalReviewTests {
    private let environment = SimulatedEnvironment(seed: 3)
    private let stores = (0..<3).map { _ in MemoryStore() }
    private let ids = TransactionIDs(epoch: 1)

    private func backup(
        of index: any SnapshottingIndex, epoch: UInt32 = 1, begun: CommitVersion = .max
    ) -> IndexBackup {
        IndexBackup(of: index, in: stores, copies: 2, epoch: epoch, begun: begun, environment: environment)
    }

    private func commit(_ count: Int, to index: MemoryIndex) async throws {
        for number in 0..<count {
            _ = try await index.commit(
                Transaction(id: ids.next(), mutations: [.put([1, UInt8(number)], [UInt8(number)])]))
        }
    }

    private func review(
        through last: CommitVersion, limit: UInt64 = 1000
    ) async throws -> (floor: CommitVersion, versions: Set<CommitVersion>) {
        var versions: Set<CommitVersion> = []
        let floor = try await IndexRecovery.reviewJournal(
            of: stores, through: last, limit: limit, patience: StorePatience(environment)
        ) { versions.insert($0.version) }
        return (floor, versions)
    }

    @Test func itGoesBackBeforeTheSnapshotThatARecoveryBeginsWith() async throws {
        let index = MemoryIndex()
        let backup = backup(of: index)
        try await backup.flush()
        for _ in 0..<6 {
            try await commit(10, to: index)
            try await backup.flush()
        }
        try await commit(5, to: index)
        try await backup.takeSnapshot()
        let restored = try await IndexRecovery.restore(
            from: stores, into: MemoryIndex(), patience: StorePatience(environment))
        #expect(restored.snapshotVersion == 65 && restored.commits == 0)
        let all = try await review(through: 65)
        #expect(all.floor == 0 && all.versions == Set(1...65))
        // It shows as much as it is asked for, and what stands in the same segment.
        let some = try await review(through: 65, limit: 20)
        #expect(some.floor == 45 && some.versions.isSuperset(of: 46...65) && some.versions.count <= 30)
        let early = try await review(through: 33)
        #expect(early.floor == 0 && early.versions == Set(1...33))
    }

    @Test func aProcessThatBeginsAChainPutsAllItsCommitsIntoIt() async throws {
        let index = MemoryIndex()
        try await commit(10, to: index)
        // Commits 11 to 20 are those of a process whose journal begins only now.
        try await commit(10, to: index)
        let backup = backup(of: index, begun: 10)
        try await backup.flush()
        #expect(try await review(through: 20).versions == Set(11...20))
        #expect(try await review(through: 20).floor == 0)
        let restored = MemoryIndex()
        let report = try await IndexRecovery.restore(
            from: stores, into: restored, patience: StorePatience(environment))
        #expect(report.completeThrough == 20 && report.snapshotVersion == 20)
        let all = Scan(.everything, limit: 1000)
        #expect(try await restored.scan(all).entries == index.scan(all).entries)
    }

    @Test func whatIsGoneFromItRaisesTheFloor() async throws {
        let index = MemoryIndex()
        let backup = backup(of: index)
        try await backup.flush()
        for _ in 0..<5 {
            try await commit(10, to: index)
            try await backup.flush()
        }
        let segments =
            try await stores[0].blobs(after: nil, limit: 100).map(\.name)
            + stores[1].blobs(after: nil, limit: 100).map(\.name)
        let journal = Set(segments.filter { $0.kind == .journal }).sorted { $0.counter < $1.counter }
        // The oldest, as pruning removes it.
        for store in stores { try await store.delete(journal[0]) }
        let pruned = try await review(through: 50)
        #expect(pruned.floor == 10 && pruned.versions == Set(11...50))
        // One that is damaged everywhere.
        for store in stores {
            store.damage(journal[2]) { bytes in bytes.setInteger(UInt64(7), at: bytes.readerIndex + 60) }
        }
        let damaged = try await review(through: 50)
        #expect(damaged.floor == 30 && damaged.versions.isSuperset(of: 31...50))
        for store in stores {
            store.damage(journal[4]) { bytes in bytes.setInteger(UInt64(7), at: bytes.readerIndex + 60) }
        }
        #expect(try await review(through: 50).floor == 50)
    }

    @Test func aChainThatAWriterBeganAnewLeavesAGap() async throws {
        let index = MemoryIndex(commitsKept: 4)
        let faulty = stores.map { FaultyStore($0, environment: environment) }
        let backup = IndexBackup(of: index, in: faulty, copies: 2, epoch: 1, environment: environment)
        try await commit(3, to: index)
        try await backup.flush()
        for store in faulty { store.isAvailable = false }
        try await commit(200, to: index)
        await #expect(throws: IndexBackupError.self) { try await backup.flush() }
        for store in faulty { store.isAvailable = true }
        try await backup.flush()
        try await commit(3, to: index)
        try await backup.flush()
        let found = try await review(through: 206)
        #expect(found.floor == 203 && found.versions == Set([204, 205, 206]))
    }

    @Test func withoutAJournalNothingIsKnown() async throws {
        let found = try await review(through: 10)
        #expect(found.floor == 0 && found.versions.isEmpty)
    }
}
