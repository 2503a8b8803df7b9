import Metadata

/// The ids of the latest commits, in memory: an index of them on disk would cost each commit another page.
///
/// An id is known for `MetadataLimits.commitsKept` commits. After that only the greatest forgotten counter of its
/// epoch is, so that no answer about an older id is ever a guess.
struct RecentTransactions: Sendable {
    private let limit: Int
    private var versions: [TransactionID: CommitVersion] = [:]
    /// The ids in commit order, from `start`.
    private var order: [TransactionID] = []
    private var start = 0
    private var forgotten: [UInt32: UInt64] = [:]

    init(limit: Int) {
        self.limit = max(1, limit)
    }

    /// Whether an id was applied.
    enum Outcome: Hashable {
        case applied(CommitVersion), never, forgotten
    }

    func outcome(of id: TransactionID) -> Outcome {
        if let version = versions[id] { return .applied(version) }
        return forgotten[id.epoch].map { id.counter <= $0 } ?? false ? .forgotten : .never
    }

    mutating func append(_ id: TransactionID, version: CommitVersion) {
        versions[id] = version
        order.append(id)
        guard order.count - start > limit else { return }
        forget(order[start])
        versions[order[start]] = nil
        start += 1
        if start == limit {
            order.removeFirst(start)
            start = 0
        }
    }

    mutating func forget(_ id: TransactionID) {
        forgotten[id.epoch] = max(forgotten[id.epoch] ?? 0, id.counter)
    }
}
