internal import Synchronization

/// The index in memory: for tests and the simulator. It forgets everything with the process.
package final class MemoryIndex: RestorableIndex {
    private struct State: Sendable {
        var entries = EntryMap()
        var lastVersion: CommitVersion = 0
        var log: CommitLog
    }

    private let state: Mutex<State>

    /// - Parameter commitsKept: how many of the latest commits `changes` and `outcome(of:)` know at least.
    package init(commitsKept: Int = MetadataLimits.commitsKept) {
        state = Mutex(State(log: CommitLog(limit: commitsKept)))
    }

    package func values(of keys: [Key]) async throws(MetadataError) -> [Entry?] {
        guard keys.count <= MetadataLimits.valuesPerCall else {
            throw .notCommitted("more than \(MetadataLimits.valuesPerCall) keys were asked for at once")
        }
        let entries = state.withLock { $0.entries }
        return keys.map { entries[$0] }
    }

    package func pages(of scans: [Scan]) async throws(MetadataError) -> [Page] {
        for scan in scans { try scan.check() }
        let entries = state.withLock { $0.entries }
        return scans.map { entries.page($0) }
    }

    package func commit(_ transaction: Transaction) async throws(MetadataError) -> CommitVersion {
        try transaction.checkLimits()
        return try state.withLock { state throws(MetadataError) in
            guard try state.log.outcome(of: transaction.id) == nil else {
                throw .unknown("a transaction of this id was applied before")
            }
            let plan = TransactionPlan.decide(
                transaction, read: { state.entries[$0] }, isEmpty: { state.entries.isEmpty(in: $0) })
            let effects =
                switch plan {
                case .apply(let effects): effects
                case .refuse(let error): throw error
                }
            state.lastVersion += 1
            Self.apply(effects, version: state.lastVersion, to: &state.entries)
            let change = Change(version: state.lastVersion, mutations: transaction.mutations)
            state.log.append(change, id: transaction.id)
            return state.lastVersion
        }
    }

    package func outcome(of transaction: TransactionID) async throws(MetadataError) -> CommitVersion? {
        try state.withLock { state throws(MetadataError) in try state.log.outcome(of: transaction) }
    }

    package func changes(after: CommitVersion, limit: Int) async throws(MetadataError) -> [Change] {
        try state.withLock { state throws(MetadataError) in try state.log.changes(after: after, limit: limit) }
    }

    package func kept() async throws(MetadataError) -> KeptChanges {
        state.withLock { KeptChanges(oldestCursor: $0.log.oldestCursor, last: $0.lastVersion, mark: $0.log.mark) }
    }

    package func keepChanges(after mark: JournalMark) async throws(MetadataError) {
        state.withLock { $0.log.mark = mark }
    }

    package func snapshot() async throws(MetadataError) -> any IndexSnapshot {
        state.withLock { MemorySnapshot(entries: $0.entries, version: $0.lastVersion) }
    }

    package func load(_ entries: [Entry]) async throws(MetadataError) {
        try state.withLock { state throws(MetadataError) in
            guard state.lastVersion == 0 else { throw .notCommitted("the index is not fresh") }
            for entry in entries { state.entries.insert(entry) }
        }
    }

    package func finishLoading(at version: CommitVersion) async throws(MetadataError) {
        state.withLock { state in
            state.lastVersion = version
            state.log.begin(after: version)
        }
    }

    package func replay(_ changes: [Change]) async throws(MetadataError) {
        try state.withLock { state throws(MetadataError) in
            for change in changes {
                guard change.version > state.lastVersion else { throw .notCommitted("a change came out of order") }
                switch TransactionPlan.effects(of: change.mutations, read: { state.entries[$0] }) {
                case .refuse(let error): throw error
                case .apply(let effects): Self.apply(effects, version: change.version, to: &state.entries)
                }
                state.lastVersion = change.version
                state.log.append(change, id: nil)
            }
        }
    }

    private static func apply(
        _ effects: [TransactionPlan.Effect], version: CommitVersion, to entries: inout EntryMap
    ) {
        for effect in effects {
            if let value = effect.value {
                entries.insert(Entry(key: effect.key, value: value, version: version))
            } else {
                entries.remove(effect.key)
            }
        }
    }
}

/// A snapshot of a `MemoryIndex`: a copy of its map.
private final class MemorySnapshot: IndexSnapshot {
    let version: CommitVersion
    private let entries: EntryMap
    private let cursor = Mutex<Key?>([])

    init(entries: EntryMap, version: CommitVersion) {
        (self.entries, self.version) = (entries, version)
    }

    func next() async throws(MetadataError) -> [Entry]? {
        cursor.withLock { cursor in
            guard let start = cursor else { return nil }
            let page = entries.page(Scan(.keys(from: start, below: Range.everything.upperBound.key), limit: 1000))
            cursor = page.next
            return page.rows.isEmpty ? nil : page.entries
        }
    }

    func close() async {
        cursor.withLock { $0 = nil }
    }
}
