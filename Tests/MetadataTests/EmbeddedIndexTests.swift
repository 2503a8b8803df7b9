import Foundation
import Metadata
import Testing
import TidegateTesting

@testable import EmbeddedIndex

@Suite struct EmbeddedIndexTests {
    @Test func whatWasCommittedIsThereAfterItIsOpenedAgain() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/index"
            let random = LawRandom(seed: 21)
            let ids = TransactionIDs(epoch: 1)
            var model = MetadataModel()
            var lastVersion: CommitVersion = 0
            for _ in 0..<5 {
                let index = try await EmbeddedIndex.open(path: path)
                for _ in 0..<50 {
                    let transaction = Transaction(id: ids.next(), mutations: random.mutations())
                    guard model.refusal(of: transaction) == nil else { continue }
                    let version = try await index.commit(transaction)
                    #expect(version > lastVersion)
                    let isApplied = model.apply(transaction.mutations, version: version)
                    #expect(isApplied)
                    lastVersion = version
                    #expect(try await index.outcome(of: transaction.id) == version)
                }
                await index.close()
                let again = try await EmbeddedIndex.open(path: path)
                #expect(try await again.scan(Scan(.everything, limit: 10_000)).entries == model.sorted)
                #expect(try await again.kept() == KeptChanges(oldestCursor: 0, last: lastVersion, mark: nil))
                await again.close()
            }
        }
    }

    @Test func aCopyOfTheFilesTakenWhileCommitsGoOnIsAnIndexWithEveryCommitBeforeIt() async throws {
        // What a process leaves behind that dies between two system calls is the files as they are then.
        try await withTemporaryDirectory { directory in
            let path = directory + "/index"
            let index = try await EmbeddedIndex.open(path: path)
            let ids = TransactionIDs(epoch: 1)
            for round in 0..<20 {
                await withTaskGroup(of: Void.self) { group in
                    for writer in 0..<8 {
                        group.addTask {
                            // The count that is checked below shows a commit that failed.
                            _ = try? await index.commit(
                                Transaction(
                                    id: ids.next(),
                                    mutations: [.put(Array("\(round) \(writer)".utf8), []), .add(Array("n".utf8), 1)]))
                        }
                    }
                }
                let copy = directory + "/copy \(round)"
                // The log first: a page that is copied into the file later is in the log too.
                for suffix in ["-wal", ""] {
                    try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix)
                }
                let survivor = try await EmbeddedIndex.open(path: copy)
                let count = try await survivor.values(of: [Array("n".utf8)])[0].map { Counter.decode($0.value) }
                #expect(count == Int64(8 * (round + 1)))
                #expect(try await survivor.scan(Scan(.everything, limit: 1000)).rows.count == 8 * (round + 1) + 1)
                await survivor.close()
            }
            await index.close()
        }
    }

    /// Each process is killed before it would copy the log by itself.
    @Test func processesThatAreKilledOftenDoNotLetTheLogGrow() async throws {
        try await withTemporaryDirectory { directory in
            var options = EmbeddedIndex.Options()
            options.checkpointPages = 40
            let ids = TransactionIDs(epoch: 1)
            var index = try await EmbeddedIndex.open(path: directory + "/0", options: options)
            for round in 1...10 {
                for commit in 0..<6 {
                    let key = Array("\(round) \(commit)".utf8)
                    _ = try await index.commit(
                        Transaction(id: ids.next(), mutations: [.put(key, [UInt8](repeating: 1, count: 3000))]))
                }
                // The log first: a page that is copied into the file later is in the log too.
                for suffix in ["-wal", ""] {
                    try FileManager.default.copyItem(
                        atPath: directory + "/\(round - 1)" + suffix, toPath: directory + "/\(round)" + suffix)
                }
                await index.close()
                let log = try FileManager.default.attributesOfItem(atPath: directory + "/\(round)-wal")
                #expect(try #require(log[.size] as? Int) < 80 * 8216, "after \(round) kills")
                index = try await EmbeddedIndex.open(path: directory + "/\(round)", options: options)
            }
            #expect(try await index.scan(Scan(.everything, limit: 100)).rows.count == 60)
            await index.close()
        }
    }

    @Test func twoIndexesNeverOpenOneFile() async throws {
        try await withTemporaryDirectory { directory in
            let index = try await EmbeddedIndex.open(path: directory + "/index")
            let refusal = await #expect(throws: IndexOpenError.self) {
                _ = try await EmbeddedIndex.open(path: directory + "/index")
            }
            let own = "the process \(ProcessInfo.processInfo.processIdentifier) has it open"
            #expect(refusal.map { "\($0)".hasPrefix(own) } == true, "\(String(describing: refusal))")
            _ = try await index.commit(Transaction(id: TransactionID(epoch: 1, counter: 1)))
            await index.close()
            let again = try await EmbeddedIndex.open(path: directory + "/index")
            await again.close()
        }
    }

    @Test func aFileThatIsNoIndexIsRefusedAndLeftAlone() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/index"
            let bytes = Data(repeating: 0x41, count: 20_000)
            try bytes.write(to: URL(fileURLWithPath: path))
            let refusal = await #expect(throws: IndexOpenError.self) { _ = try await EmbeddedIndex.open(path: path) }
            #expect(refusal.map { "\($0)".contains("`tidegate recover`") } == true, "\(String(describing: refusal))")
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes)
            let missing = await #expect(throws: IndexOpenError.self) {
                _ = try await EmbeddedIndex.open(path: directory + "/missing/index")
            }
            #expect(missing.map { if case .unavailable = $0 { true } else { false } } == true)
        }
    }

    @Test func theFilesAreForTheirOwnerAlone() async throws {
        try await withTemporaryDirectory { directory in
            let index = try await EmbeddedIndex.open(path: directory + "/index")
            _ = try await index.commit(Transaction(id: TransactionID(epoch: 1, counter: 1)))
            for suffix in ["", "-wal", "-shm", ".lock"] {
                let attributes = try FileManager.default.attributesOfItem(atPath: directory + "/index" + suffix)
                #expect(attributes[.posixPermissions] as? Int == 0o600, "\(suffix)")
            }
            await index.close()
        }
    }

    @Test func callsAfterCloseThrow() async throws {
        try await withTemporaryDirectory { directory in
            let index = try await EmbeddedIndex.open(path: directory + "/index")
            await index.close()
            await #expect(throws: MetadataError.self) { _ = try await index.values(of: [[1]]) }
            await #expect(throws: MetadataError.self) {
                _ = try await index.commit(Transaction(id: TransactionID(epoch: 1, counter: 1)))
            }
            await #expect(throws: MetadataError.self) { _ = try await index.snapshot() }
        }
    }

    @Test func oldCommitsAreForgottenAndSaidToBe() async throws {
        try await withTemporaryDirectory { directory in
            var options = EmbeddedIndex.Options()
            options.commitsKept = 100
            var index = try await EmbeddedIndex.open(path: directory + "/index", options: options)
            func commit(_ counters: Range<UInt64>) async throws {
                let index = index
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for counter in counters {
                        // An id is refused once a hundred later ones may have come before it, so that fewer are under
                        // way.
                        if counter >= counters.lowerBound + 50 { try await group.next() }
                        group.addTask {
                            let id = TransactionID(epoch: 4, counter: counter)
                            _ = try await index.commit(Transaction(id: id, mutations: [.put([1], [2])]))
                        }
                    }
                    try await group.waitForAll()
                }
            }
            try await commit(1..<1001)
            try await index.keepChanges(after: JournalMark(version: 900, chain: [7]))
            try await commit(1001..<1501)
            let kept = try await index.kept()
            #expect(kept.mark == JournalMark(version: 900, chain: [7]))
            #expect(kept.oldestCursor <= 900 && kept.last == 1500)
            try await commit(1501..<4001)
            #expect(try await index.kept().oldestCursor > 900, "held at most 16 times as long")
            for _ in 0..<2 {
                let oldest = try await index.kept().oldestCursor
                #expect(try await index.changes(after: oldest, limit: 1).first?.version == oldest + 1)
                await #expect(throws: MetadataError.self) { _ = try await index.changes(after: oldest - 1, limit: 1) }
                await #expect(throws: MetadataError.self) {
                    _ = try await index.outcome(of: TransactionID(epoch: 4, counter: 1))
                }
                #expect(try await index.outcome(of: TransactionID(epoch: 4, counter: 9000)) == nil)
                #expect(try await index.outcome(of: TransactionID(epoch: 3, counter: 1)) == nil)
                await index.close()
                index = try await EmbeddedIndex.open(path: directory + "/index", options: options)
            }
            await index.close()
        }
    }

    @Test func aSnapshotStaysWhileCommitsGoOn() async throws {
        try await withTemporaryDirectory { directory in
            let index = try await EmbeddedIndex.open(path: directory + "/index")
            let ids = TransactionIDs(epoch: 1)
            func put(_ value: String) async throws -> CommitVersion {
                let mutations = (0..<2500).map { Mutation.put(Array("\($0)".utf8), Array(value.utf8)) }
                return try await index.commit(Transaction(id: ids.next(), mutations: mutations))
            }
            let first = try await put("before")
            let snapshot = try await index.snapshot()
            #expect(snapshot.version == first)
            _ = try await put("after")
            var values: [[UInt8]] = []
            while let batch = try await snapshot.next() {
                _ = try await put("later")
                values += batch.map(\.value)
            }
            #expect(values.count == 2500 && Set(values) == [Array("before".utf8)])
            await snapshot.close()
            await #expect(throws: MetadataError.self) { _ = try await snapshot.next() }
            await index.close()
        }
    }

    @Test func aGroupOfAListingIsSoughtPastNotRead() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/index"
            let index = try await EmbeddedIndex.open(path: path)
            let ids = TransactionIDs(epoch: 1)
            for lot in 0..<10 {
                let mutations = (0..<1000).map { Mutation.put(Array("large/\(lot)/\($0)".utf8), []) }
                _ = try await index.commit(Transaction(id: ids.next(), mutations: mutations))
            }
            let small = (0..<10).map { Mutation.put(Array("small/\($0)".utf8), []) }
            _ = try await index.commit(Transaction(id: ids.next(), mutations: small))
            await index.close()
            let connection = try SQLiteConnection(path: path, access: .readOnly)
            let reader = try IndexReader(connection)
            func steps(_ prefix: String) throws -> Int {
                let grouping = Scan.Grouping(prefixLength: 0, delimiter: Array("/".utf8))
                let page = try reader.page(Scan(.prefix(Array(prefix.utf8)), limit: 10, grouping: grouping))
                #expect(page == Page(rows: [.group(Array(prefix.utf8))], next: nil))
                return reader.takeScanSteps()
            }
            let (large, few) = (try steps("large/"), try steps("small/"))
            #expect(few > 0)
            #expect(large <= few + 20, "SQLite's steps over a group of 10,000 members and over one of 10")
        }
    }
}
