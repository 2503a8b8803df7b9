import IndexBackup
import Metadata
import Storage
import Synchronization
import Testing
import TidegateTesting

/// Nothing is told of a commit that the loss of the index's disk would undo.
@Suite("The journaled index")
struct JournaledIndexTests {
    /// An index whose journal needs two of three stores.
    private struct Fixture {
        let environment = SimulatedEnvironment(seed: 5)
        let stores: [FaultyStore]
        let memory = MemoryIndex()
        let backup: IndexBackup
        let index: JournaledIndex
        private let ids = TransactionIDs(epoch: 1)

        init() {
            let environment = environment
            let stores = (0..<3).map { _ in FaultyStore(MemoryStore(), environment: environment) }
            let backup = IndexBackup(of: memory, in: stores, copies: 2, epoch: 1, environment: environment)
            (self.stores, self.backup, index) = (stores, backup, JournaledIndex(memory, backup: backup))
        }

        func setAvailable(_ isAvailable: Bool) {
            for store in stores { store.isAvailable = isAvailable }
        }

        @discardableResult
        func put(_ key: Key, _ conditions: Condition...) async throws(MetadataError) -> CommitVersion {
            try await index.commit(
                Transaction(id: ids.next(), conditions: conditions, mutations: [.put(key, [1])]))
        }
    }

    private let read: Key = [1, 1]
    private let other: Key = [2, 2]

    @Test("What the stores did not take is not read, by its key, in a scan or by a conflict")
    func unsureIsNotRead() async throws {
        let fixture = Fixture()
        try await fixture.put(other)
        fixture.setAvailable(false)
        await #expect(throws: MetadataError.self) { try await fixture.put(read) }
        #expect(try await fixture.memory.values(of: [read])[0] != nil, "it is applied all the same")
        let refused = { (error: any Error) in
            if case .notCommitted? = error as? MetadataError { true } else { false }
        }
        await #expect(performing: { _ = try await fixture.index.values(of: [other, read]) }, throws: refused)
        await #expect(
            performing: { _ = try await fixture.index.scan(Scan(.prefix([1]), limit: 10)) }, throws: refused)
        await #expect(performing: { try await fixture.put(other, .absent(read)) }, throws: refused)
        await #expect(
            performing: { try await fixture.put(other, .rangeEmpty(.prefix([1]))) }, throws: refused)
        // What it did not touch is read.
        #expect(try await fixture.index.values(of: [other])[0] != nil)
        #expect(try await fixture.index.scan(Scan(.prefix([2]), limit: 10)).entries.count == 1)
        await #expect(throws: MetadataError.conflict(condition: 0)) { try await fixture.put(read, .absent(other)) }
        fixture.setAvailable(true)
        #expect(try await fixture.index.values(of: [read])[0] != nil)
        #expect(fixture.backup.status.journalledThrough >= 2)
        // Nothing waits for the stores any more.
        fixture.setAvailable(false)
        #expect(try await fixture.index.values(of: [read])[0] != nil)
    }

    @Test("A commit that the stores took takes those before it along")
    func laterCommits() async throws {
        let fixture = Fixture()
        try await fixture.put(other)
        fixture.setAvailable(false)
        await #expect(throws: MetadataError.self) { try await fixture.put(read) }
        fixture.setAvailable(true)
        try await fixture.put(other)
        fixture.setAvailable(false)
        #expect(try await fixture.index.values(of: [read])[0] != nil)
    }

    @Test("What a process before this one left behind is not read before the stores have it")
    func freshProcess() async throws {
        let fixture = Fixture()
        _ = try await fixture.memory.commit(
            Transaction(id: TransactionID(epoch: 1, counter: 77), mutations: [.put(read, [1])]))
        fixture.setAvailable(false)
        await #expect(throws: MetadataError.self) { try await fixture.index.values(of: [read]) }
        fixture.setAvailable(true)
        #expect(try await fixture.index.values(of: [read])[0] != nil)
        #expect(fixture.backup.status.journalledThrough == 1)
    }

    @Test("A commit under way is read once the stores have it")
    func underWay() async throws {
        let fixture = Fixture()
        try await fixture.put(other)
        for store in fixture.stores { store.follow(.every(.write, .delay(.milliseconds(100)))) }
        let commit = Task { [read] in try await fixture.put(read) }
        while try await fixture.memory.values(of: [read])[0] == nil { await Task.yield() }
        // It runs at once until it waits.
        let isTold = Mutex(false)
        let reading = Task.immediate { [read, other] in
            #expect(try await fixture.index.values(of: [other])[0] != nil)
            let entry = try await fixture.index.values(of: [read])[0]
            isTold.withLock { $0 = true }
            return entry
        }
        #expect(!isTold.withLock { $0 })
        while !isTold.withLock({ $0 }) {
            _ = fixture.environment.advanceToNextSleeper()
            await Task.yield()
        }
        let version = try await commit.value
        #expect(try await reading.value?.version == version)
        #expect(fixture.backup.status.journalledThrough == version)
    }
}
