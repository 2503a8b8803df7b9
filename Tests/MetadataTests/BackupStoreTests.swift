import IndexBackup
import Metadata
import Primitives
import Storage
import Synchronization
import Testing
import TidegateTesting

/// The index's backup over stores that hang, and how it is spread.
@Suite struct BackupStoreTests {
    private let environment = SimulatedEnvironment(seed: 3)
    private let bases: [MemoryStore]
    private let stores: [FaultyStore]
    private let index = MemoryIndex()
    private let ids = TransactionIDs(epoch: 1)

    /// Longer than any test moves the time.
    private static let forEver = FaultPlan { _ in [.delay(.seconds(1_000_000))] }

    init() {
        let environment = environment
        bases = (0..<4).map { _ in MemoryStore() }
        stores = bases.map { FaultyStore($0, environment: environment) }
    }

    private func backup(copies: Int) -> IndexBackup {
        IndexBackup(of: index, in: stores, copies: copies, epoch: 1, environment: environment)
    }

    private func commit() async throws {
        _ = try await index.commit(Transaction(id: ids.next(), mutations: [.put([9], [1])]))
    }

    private func names(in store: Int) async throws -> [BlobName] {
        try await bases[store].blobs(after: nil, limit: 10_000).map(\.name)
    }

    /// Does something, and lets a second pass whenever all that goes on is to wait.
    ///
    /// - Returns: What came of it, and the seconds that passed.
    private func waiting<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) async -> (result: Result<Value, any Error>, seconds: Int) {
        let ended = Ended()
        let task = Task {
            defer { ended.raise() }
            return try await work()
        }
        var seconds = 0
        while !ended.isRaised {
            var (sleepers, quiet) = (0, 0)
            while quiet < 20_000, !ended.isRaised {
                let now = environment.sleepers
                // A call that hangs sleeps, and so does who waits for it. On a busy machine others may not have had
                // their turn for many of these.
                quiet = now == sleepers && now >= 2 ? quiet + 1 : 0
                sleepers = now
                await Task.yield()
            }
            guard !ended.isRaised else { break }
            environment.advance(by: .seconds(1))
            seconds += 1
        }
        return (await task.result, seconds)
    }

    private final class Ended: Sendable {
        private let flag = Atomic(false)

        func raise() { flag.store(true, ordering: .releasing) }
        var isRaised: Bool { flag.load(ordering: .acquiring) }
    }

    @Test func copiesAreSpreadOverAllStores() async throws {
        let backup = backup(copies: 2)
        for _ in 0..<200 {
            try await commit()
            try await backup.flush()
        }
        var holders: [BlobName: Int] = [:]
        for store in 0..<4 {
            let names = try await names(in: store)
            #expect((50..<150).contains(names.count), "store \(store) has \(names.count) of 400 copies")
            for name in names { holders[name, default: 0] += 1 }
        }
        #expect(holders.values.allSatisfy { $0 == 2 })
        #expect(holders.count == 200)
    }

    @Test(.timeLimit(.minutes(2))) func aStoreThatHangsIsGoneRoundAndNotWaitedForAgain() async throws {
        let backup = backup(copies: 3)
        stores[1].follow(Self.forEver)
        try await commit()
        // Three of four: it is soon among the first.
        let first = await waiting {
            for _ in 0..<4 {
                try await commit()
                try await backup.flush()
            }
        }
        try first.result.get()
        #expect(first.seconds == 1)
        // It is known to hang now, and costs nobody a second.
        for _ in 0..<20 {
            try await commit()
            try await backup.flush()
        }
        #expect(backup.status.journalledThrough == (try await index.kept().last))
        for store in [0, 2, 3] { #expect(try await names(in: store).count >= 20) }
        // It comes back: the call that hung ends, and it takes its share.
        stores[1].follow(.none)
        environment.advance(by: .seconds(1_000_000))
        for _ in 0..<40 {
            try await commit()
            try await backup.flush()
        }
        #expect(try await names(in: 1).count > 20)
    }

    @Test func theLagIsOfCommitsThatTheJournalLacksAndOfNothingElse() async throws {
        let backup = backup(copies: 3)
        try await commit()
        try await backup.flush()
        // Nothing is written for an hour.
        environment.advance(by: .seconds(3600))
        #expect(await backup.currentStatus().secondsBehind == 0)
        try await commit()
        environment.advance(by: .seconds(5))
        #expect(await backup.currentStatus().secondsBehind == 5)
        #expect(await backup.currentStatus().secondsBehind == 5)
        try await backup.flush()
        #expect(await backup.currentStatus().secondsBehind == 0)
        // Looking for new commits is as good as being asked.
        environment.advance(by: .seconds(3600))
        try await backup.flush()
        environment.advance(by: .seconds(1))
        try await commit()
        environment.advance(by: .seconds(2))
        #expect(await backup.currentStatus().secondsBehind == 3)
    }

    @Test(.timeLimit(.minutes(2))) func tooManyThatHangAreAFailureInTime() async throws {
        let backup = backup(copies: 3)
        try await commit()
        try await backup.flush()
        for store in [0, 1] { stores[store].follow(Self.forEver) }
        try await commit()
        let failed = await waiting { try await backup.flush() }
        #expect(throws: IndexBackupError.tooFewCopies(stored: 2, needed: 3)) { try failed.result.get() }
        #expect((10...12).contains(failed.seconds))
        stores[0].follow(.none)
        try await backup.flush()
        #expect(backup.status.journalledThrough == (try await index.kept().last))
        environment.advance(by: .seconds(1_000_000))
    }

    @Test(.timeLimit(.minutes(2))) func aRecoveryPassesAStoreOverThatHangs() async throws {
        let backup = backup(copies: 2)
        for _ in 0..<10 {
            try await commit()
            try await backup.flush()
        }
        stores[2].follow(Self.forEver)
        let restored = MemoryIndex()
        let recovery = await waiting {
            try await IndexRecovery.restore(from: stores, into: restored, patience: StorePatience(environment))
        }
        let report = try recovery.result.get()
        #expect(report.unreachableStores == [2])
        #expect(report.completeThrough == (try await index.kept().last))
        #expect(recovery.seconds <= 21)
        environment.advance(by: .seconds(1_000_000))
    }
}
