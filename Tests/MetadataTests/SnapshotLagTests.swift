import IndexBackup
import Metadata
import Primitives
import Storage
import Synchronization
import Testing
import TidegateTesting

/// The journal's lag while a snapshot is written: of a large index that takes long.
@Suite("The journal beside a snapshot")
struct SnapshotLagTests {
    /// An index whose snapshots begin only when they are let.
    private final class SlowIndex: SnapshottingIndex {
        let base = MemoryIndex()
        private let state = Mutex((isSlow: false, waiting: [CheckedContinuation<Void, Never>]()))

        var snapshotsThatWait: Int { state.withLock { $0.waiting.count } }

        func setSlow(_ isSlow: Bool) {
            let waiting = state.withLock { state in
                state.isSlow = isSlow
                defer { if !isSlow { state.waiting = [] } }
                return isSlow ? [] : state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }

        func snapshot() async throws(MetadataError) -> any IndexSnapshot {
            await withCheckedContinuation { continuation in
                let isSlow = state.withLock { state in
                    if state.isSlow { state.waiting.append(continuation) }
                    return state.isSlow
                }
                if !isSlow { continuation.resume() }
            }
            return try await base.snapshot()
        }

        func kept() async throws(MetadataError) -> KeptChanges { try await base.kept() }

        func keepChanges(after mark: JournalMark) async throws(MetadataError) {
            try await base.keepChanges(after: mark)
        }

        func values(of keys: [Key]) async throws(MetadataError) -> [Entry?] { try await base.values(of: keys) }

        func pages(of scans: [Scan]) async throws(MetadataError) -> [Page] { try await base.pages(of: scans) }

        func commit(_ transaction: Transaction) async throws(MetadataError) -> CommitVersion {
            try await base.commit(transaction)
        }

        func outcome(of transaction: TransactionID) async throws(MetadataError) -> CommitVersion? {
            try await base.outcome(of: transaction)
        }

        func changes(after version: CommitVersion, limit: Int) async throws(MetadataError) -> [Change] {
            try await base.changes(after: version, limit: limit)
        }
    }

    @Test("A commit is in the journal after an interval, however long a snapshot takes")
    func journalGoesOn() async throws {
        let environment = SimulatedEnvironment(seed: 3)
        let stores = (0..<3).map { _ in MemoryStore() }
        let index = SlowIndex()
        var options = IndexBackup.Options()
        options.snapshotAfterSegments = 1
        let backup = IndexBackup(
            of: index, in: stores, copies: 2, epoch: 1, environment: environment, options: options)
        let ids = TransactionIDs(epoch: 1)
        func commit() async throws -> CommitVersion {
            try await index.commit(Transaction(id: ids.next(), mutations: [.put([1], [1])]))
        }
        _ = try await commit()
        try await backup.flush()
        // The next snapshot is due, and is written for as long as it is held.
        index.setSlow(true)
        _ = try await commit()
        try await backup.flush()
        let running = Task { await backup.run() }
        try await eventually(environment) { index.snapshotsThatWait == 1 }
        for _ in 0..<3 {
            let version = try await commit()
            try await eventually(environment) { backup.status.journalledThrough >= version }
        }
        #expect(index.snapshotsThatWait == 1)
        index.setSlow(false)
        let last = try await index.kept().last
        try await eventually(environment) { (backup.status.lastSnapshot ?? 0) >= last }
        running.cancel()
        await running.value
        #expect(backup.status.failures == 0)
    }

    /// Lets simulated time pass until something holds, for a minute of the real one at most.
    private func eventually(_ environment: SimulatedEnvironment, _ holds: () -> Bool) async throws {
        let clock = SystemEnvironment()
        let deadline = clock.monotonicNanoseconds() + 60_000_000_000
        while !holds() {
            try #require(clock.monotonicNanoseconds() < deadline, "it did not come about")
            environment.advance(by: .milliseconds(100))
            await Task.yield()
        }
    }
}
