import Metadata
import Simulation
import Synchronization

/// The index in memory, whose failures and races a test decides.
final class ScriptedIndex: MetadataIndex {
    /// What goes wrong in a commit.
    enum CommitFault: Sendable {
        /// Nothing is applied, and the index says so.
        case refused
        /// It is applied, and the answer is lost.
        case answerLost
        /// Nothing is applied, and the index cannot tell.
        case requestLost
    }

    /// A call of the index.
    enum Call: Sendable {
        case values([Key])
        case scan(Scan)
        case commit(Transaction)
    }

    private struct Interruption {
        var matches: @Sendable (Call) -> Bool
        var act: @Sendable () async -> Void
    }

    private struct State {
        var isAvailable = true
        var losesOutcomes = false
        var commitFaults: [CommitFault] = []
        var interruption: Interruption?
        var committed: [Transaction] = []
        var commitCalls = 0
    }

    let memory: MemoryIndex
    private let state = Mutex(State())

    init(_ memory: MemoryIndex = MemoryIndex()) {
        self.memory = memory
    }

    /// While false, every call fails.
    var isAvailable: Bool {
        get { state.withLock { $0.isAvailable } }
        set { state.withLock { $0.isAvailable = newValue } }
    }

    /// While true, outcomes cannot be asked for.
    var loseOutcomes: Bool {
        get { state.withLock { $0.losesOutcomes } }
        set { state.withLock { $0.losesOutcomes = newValue } }
    }

    /// What was committed so far, in order.
    var committed: [Transaction] { state.withLock { $0.committed } }

    /// How often a commit was asked for, whatever came of it.
    var commitCalls: Int { state.withLock { $0.commitCalls } }

    /// The next commits go wrong so, one after the other.
    func failCommits(_ faults: CommitFault...) {
        state.withLock { $0.commitFaults += faults }
    }

    /// Forgets the faults that no commit has met, and tells how many these were.
    func takePendingFaults() -> Int {
        state.withLock { state in
            defer { state.commitFaults = [] }
            return state.commitFaults.count
        }
    }

    /// Once, before the next call that matches, something else happens.
    func before(_ matches: @escaping @Sendable (Call) -> Bool, _ act: @escaping @Sendable () async -> Void) {
        state.withLock { $0.interruption = Interruption(matches: matches, act: act) }
    }

    /// Once, before the next commit that touches a key, something else happens: the other side of a race.
    func beforeCommit(of key: Key, _ act: @escaping @Sendable () async -> Void) {
        before(
            { call in
                guard case .commit(let transaction) = call else { return false }
                return transaction.mutations.contains { $0.key == key }
            }, act)
    }

    func values(of keys: [Key]) async throws(MetadataError) -> [Entry?] {
        try await pass(.values(keys))
        return try await memory.values(of: keys)
    }

    func pages(of scans: [Scan]) async throws(MetadataError) -> [Page] {
        for scan in scans { try await pass(.scan(scan)) }
        return try await memory.pages(of: scans)
    }

    func commit(_ transaction: Transaction) async throws(MetadataError) -> CommitVersion {
        state.withLock { $0.commitCalls += 1 }
        try await pass(.commit(transaction))
        let fault = state.withLock { $0.commitFaults.isEmpty ? nil : $0.commitFaults.removeFirst() }
        switch fault {
        case .refused: throw .notCommitted("refused by the test")
        case .requestLost: throw .unknown("the request was lost by the test")
        case .answerLost, nil: break
        }
        let version = try await memory.commit(transaction)
        state.withLock { $0.committed.append(transaction) }
        if fault != nil { throw .unknown("the answer was lost by the test") }
        return version
    }

    func outcome(of transaction: TransactionID) async throws(MetadataError) -> CommitVersion? {
        guard isAvailable, !loseOutcomes else { throw .notCommitted("made unavailable") }
        return try await memory.outcome(of: transaction)
    }

    func changes(after: CommitVersion, limit: Int) async throws(MetadataError) -> [Change] {
        try await memory.changes(after: after, limit: limit)
    }

    private func pass(_ call: Call) async throws(MetadataError) {
        let (isAvailable, interruption) = state.withLock { state in
            guard let interruption = state.interruption, interruption.matches(call) else {
                return (state.isAvailable, Interruption?.none)
            }
            state.interruption = nil
            return (state.isAvailable, interruption)
        }
        guard isAvailable else { throw .notCommitted("made unavailable") }
        await interruption?.act()
    }
}
