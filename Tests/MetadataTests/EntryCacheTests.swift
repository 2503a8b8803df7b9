import Metadata
import Synchronization
import Testing
import TidegateTesting

@testable import EmbeddedIndex

@Suite("Entries that are kept in memory")
struct EntryCacheTests {
    private static let key = Array("key".utf8)

    /// How far a writer has come: how many of its commits have returned, and whether it has ended.
    private final class Progress: Sendable {
        private let state = Mutex((committed: Int64(0), isDone: false))

        var committed: Int64 { state.withLock { $0.committed } }
        var isDone: Bool { state.withLock { $0.isDone } }

        func add() { state.withLock { $0.committed += 1 } }
        func end() { state.withLock { $0.isDone = true } }
    }

    private static func entry(_ version: CommitVersion) -> Entry {
        Entry(key: key, value: Array("value \(version)".utf8), version: version)
    }

    @Test("are given as they were read, absent ones too")
    func remembered() {
        let cache = EntryCache(bytes: 1 << 20)
        #expect(cache.values(of: [Self.key]) == nil)
        cache.remember([Self.entry(1), nil], of: [Self.key, [1]], since: cache.moment)
        #expect(cache.values(of: [[1], Self.key]) == [nil, Self.entry(1)])
        // One that is not known makes the whole a question for the file.
        #expect(cache.values(of: [Self.key, [2]]) == nil)
        cache.close()
        cache.remember([Self.entry(1)], of: [Self.key], since: cache.moment)
        #expect(cache.values(of: [Self.key]) == nil)
    }

    @Test("are forgotten before a group that changes them can be seen, and not remembered from an older snapshot")
    func changed() {
        let cache = EntryCache(bytes: 1 << 20)
        let moment = cache.moment
        cache.remember([Self.entry(1)], of: [Self.key], since: moment)
        cache.begin([Self.key])
        #expect(cache.values(of: [Self.key]) == nil)
        cache.remember([Self.entry(1)], of: [Self.key], since: moment)
        #expect(cache.values(of: [Self.key]) == nil)
        cache.end()
        cache.remember([Self.entry(1)], of: [Self.key], since: moment)
        #expect(cache.values(of: [Self.key]) == nil)
        cache.remember([Self.entry(2)], of: [Self.key], since: cache.moment)
        #expect(cache.values(of: [Self.key]) == [Self.entry(2)])
    }

    @Test("take no more room than they may, and the ones asked for last stay")
    func bounded() {
        let cache = EntryCache(bytes: 64 << 10)
        for number in 0..<10_000 {
            let key = Array("\(number)".utf8)
            let entry = Entry(key: key, value: [UInt8](repeating: 1, count: 100), version: 1)
            cache.remember([entry], of: [key], since: cache.moment)
            if number == 0 { continue }
            #expect(cache.values(of: [Array("\(number - 1)".utf8)]) != nil)
            if number % 20 == 0 { cache.remember([Self.entry(1)], of: [Self.key], since: cache.moment) }
        }
        let kept = (0..<10_000).count { cache.values(of: [Array("\($0)".utf8)]) != nil }
        #expect((20...600).contains(kept))
    }

    @Test("never show half a commit, nor an older state than was seen before")
    func concurrency() async throws {
        try await withTemporaryDirectory { directory in
            let index = try await EmbeddedIndex.open(path: directory + "/index")
            let ids = TransactionIDs(epoch: 1)
            let keys: [Key] = [Array("a".utf8), Array("b".utf8)]
            let progress = Progress()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for reader in 0..<4 {
                    group.addTask {
                        var last: Int64 = 0
                        while !progress.isDone {
                            let least = max(last, progress.committed)
                            // Every other reader scans, which is answered from the file.
                            let entries =
                                reader % 2 == 0
                                ? try await index.values(of: keys)
                                : try await index.scan(Scan(.everything, limit: 2)).entries.map(Optional.some)
                            let counts = entries.map { $0.flatMap { Counter.decode($0.value) } ?? 0 }
                            let count = counts.first ?? 0
                            #expect(counts.allSatisfy { $0 == count })
                            #expect(count >= least)
                            last = max(last, count)
                            // What is answered from memory never waits: without this the writer would not get a thread.
                            await Task.yield()
                        }
                    }
                }
                group.addTask {
                    for _ in 0..<300 {
                        let mutations = keys.map { Mutation.add($0, 1) }
                        _ = try await index.commit(Transaction(id: ids.next(), mutations: mutations))
                        progress.add()
                    }
                    progress.end()
                }
                try await group.waitForAll()
            }
            #expect(try await index.values(of: keys).allSatisfy { Counter.decode($0?.value ?? []) == 300 })
            await index.close()
        }
    }
}
