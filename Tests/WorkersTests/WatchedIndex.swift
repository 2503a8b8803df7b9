import Metadata
import Synchronization

/// An index that lets a test look at each commit before it is made, change the index first, or stop the commit.
final class WatchedIndex: MetadataIndex {
    typealias Watch = @Sendable (Transaction) async throws(MetadataError) -> Void

    private let base: MemoryIndex
    private let watch = Mutex<Watch?>(nil)

    init(_ base: MemoryIndex) {
        self.base = base
    }

    /// Calls `watch` before each commit from now on; what it throws is the commit's error.
    func onCommit(_ watch: Watch?) {
        self.watch.withLock { $0 = watch }
    }

    /// Calls `watch` before the next commit alone that changes something under one of the keys.
    func once(_ keys: Range<KeyBound>, _ watch: @escaping Watch) {
        let isDone = Flag()
        onCommit { (transaction) async throws(MetadataError) in
            let isMeant = transaction.mutations.contains { mutation in
                switch mutation {
                case .put(let key, _), .create(let key, _), .remove(let key), .add(let key, _):
                    keys.contains(KeyBound(key))
                }
            }
            if isMeant, isDone.raise() { try await watch(transaction) }
        }
    }

    func values(of keys: [Key]) async throws(MetadataError) -> [Entry?] { try await base.values(of: keys) }

    func pages(of scans: [Scan]) async throws(MetadataError) -> [Page] { try await base.pages(of: scans) }

    func commit(_ transaction: Transaction) async throws(MetadataError) -> CommitVersion {
        if let watch = watch.withLock({ $0 }) { try await watch(transaction) }
        return try await base.commit(transaction)
    }

    func outcome(of transaction: TransactionID) async throws(MetadataError) -> CommitVersion? {
        try await base.outcome(of: transaction)
    }

    func changes(after: CommitVersion, limit: Int) async throws(MetadataError) -> [Change] {
        try await base.changes(after: after, limit: limit)
    }
}

/// Something that happens once.
final class Flag: Sendable {
    private let isRaised = Mutex(false)

    /// True for the first caller alone.
    func raise() -> Bool {
        isRaised.withLock { isRaised in
            defer { isRaised = true }
            return !isRaised
        }
    }
}

/// Counts, from 1.
final class EventCounter: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }

    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}

/// A list that grows.
final class Collected<Value: Sendable>: Sendable {
    private let all = Mutex<[Value]>([])

    func add(_ value: Value) {
        all.withLock { $0.append(value) }
    }

    var values: [Value] { all.withLock { $0 } }
}
