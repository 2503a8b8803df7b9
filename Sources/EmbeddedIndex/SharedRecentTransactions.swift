import Metadata
import Synchronization

/// The ids that a group has applied so far.
struct StagedTransactions {
    private(set) var ids: [(id: TransactionID, version: CommitVersion)] = []
    private var set: Set<TransactionID> = []

    func contains(_ id: TransactionID) -> Bool { set.contains(id) }

    mutating func append(_ id: TransactionID, version: CommitVersion) {
        ids.append((id, version))
        set.insert(id)
    }
}

/// The ids of the latest commits, written by the writer's thread and asked by anyone.
final class SharedRecentTransactions: Sendable {
    private let state: Mutex<RecentTransactions>
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
        state = Mutex(RecentTransactions(limit: limit))
    }

    func outcome(of id: TransactionID) -> RecentTransactions.Outcome {
        state.withLock { $0.outcome(of: id) }
    }

    /// Adds what a durable group has applied.
    func append(_ staged: StagedTransactions) {
        state.withLock { state in
            for (id, version) in staged.ids { state.append(id, version: version) }
        }
    }

    /// Reads what the file knows.
    func load(from connection: borrowing SQLiteConnection) throws(SQLiteError) {
        var loaded = RecentTransactions(limit: limit)
        let forgotten = try connection.prepare("SELECT epoch, counter FROM forgotten")
        while try forgotten.step() { loaded.forget(Self.id(forgotten, at: 0)) }
        // Replayed changes have no id: their epoch is 0, which no writer has.
        let log = try connection.prepare("SELECT version, epoch, counter FROM log WHERE epoch > 0 ORDER BY version")
        while try log.step() {
            loaded.append(Self.id(log, at: 1), version: CommitVersion(bitPattern: log.number(0)))
        }
        state.withLock { $0 = loaded }
    }

    /// Writes the greatest counters of rows of the log that are about to be dropped.
    func remember(
        forgottenThrough version: CommitVersion, in connection: borrowing SQLiteConnection
    ) throws(SQLiteError) {
        var greatest: [UInt32: UInt64] = [:]
        let rows = try connection.prepare(
            "SELECT epoch, counter FROM log WHERE version <= ?1 AND epoch > 0 "
                + "UNION ALL SELECT epoch, counter FROM forgotten"
        )
        try rows.bind(1, Int64(bitPattern: version))
        while try rows.step() {
            let id = Self.id(rows, at: 0)
            greatest[id.epoch] = max(greatest[id.epoch] ?? 0, id.counter)
        }
        let write = try connection.prepare(
            "INSERT INTO forgotten(epoch, counter) VALUES(?1, ?2) ON CONFLICT(epoch) DO UPDATE SET counter = ?2")
        for (epoch, counter) in greatest {
            try write.bind(1, Int64(epoch))
            try write.bind(2, Int64(bitPattern: counter))
            try write.run()
        }
    }

    private static func id(_ row: borrowing SQLiteStatement, at column: Int32) -> TransactionID {
        TransactionID(
            epoch: UInt32(truncatingIfNeeded: row.number(column)),
            counter: UInt64(bitPattern: row.number(column + 1)))
    }
}
