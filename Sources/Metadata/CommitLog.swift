/// The latest commits of a `MemoryIndex`: their changes and the ids of their transactions.
///
/// The rule of what is forgotten, which every index keeps: a commit is forgotten once it is older than the limit's
/// latest ones and no longer held by the mark, and whatever is held once it is older than 16 times the limit.
/// An id is known to have been applied or not, or it is as old as one that was forgotten, and then the answer is
/// `unknown`.
struct CommitLog: Sendable {
    private let limit: Int
    private var commits: [(change: Change, id: TransactionID?)] = []
    private var versions: [TransactionID: CommitVersion] = [:]
    /// The greatest forgotten counter of each epoch.
    private var forgotten: [UInt32: UInt64] = [:]
    /// Changes after it are held.
    var mark: JournalMark?
    private(set) var oldestCursor: CommitVersion = 0

    init(limit: Int) {
        self.limit = max(1, limit)
    }

    /// Starts anew after a commit that was restored.
    mutating func begin(after version: CommitVersion) {
        commits = []
        oldestCursor = version
    }

    mutating func append(_ change: Change, id: TransactionID?) {
        commits.append((change, id))
        if let id { versions[id] = change.version }
        // Forgetting in lots keeps the cost of shifting the array small.
        if commits.count >= limit * 2 { forget() }
    }

    func outcome(of id: TransactionID) throws(MetadataError) -> CommitVersion? {
        if let version = versions[id] { return version }
        guard forgotten[id.epoch].map({ id.counter > $0 }) ?? true else {
            throw .unknown("the transaction is older than those remembered")
        }
        return nil
    }

    func changes(after: CommitVersion, limit: Int) throws(MetadataError) -> [Change] {
        guard after >= oldestCursor else {
            throw .notCommitted("changes are kept after commit \(oldestCursor) only")
        }
        var (low, high) = (0, commits.count)
        while low < high {
            let middle = (low + high) / 2
            if commits[middle].change.version > after { high = middle } else { low = middle + 1 }
        }
        return commits[low...].prefix(max(0, limit)).map(\.change)
    }

    private mutating func forget() {
        let surplus = commits.count - limit
        var count = 0
        while count < surplus {
            let commit = commits[count]
            let isHeld = mark.map { commit.change.version > $0.version } ?? false
            if isHeld && commits.count - count <= limit * 16 { break }
            if let id = commit.id {
                versions[id] = nil
                forgotten[id.epoch] = max(forgotten[id.epoch] ?? 0, id.counter)
            }
            oldestCursor = commit.change.version
            count += 1
        }
        commits.removeFirst(count)
    }
}
