import Metadata
import Synchronization

/// The one connection that writes and checkpoints, with its thread's state.
///
/// A group of requests is one SQLite transaction and one sync. Each commit in it is decided against what earlier ones
/// left.
struct IndexWriter: ~Copyable {
    private let connection: SQLiteConnection
    private let reader: IndexReader
    private let put: SQLiteStatement
    private let remove: SQLiteStatement
    private let appendLog: SQLiteStatement
    private let set: SQLiteStatement
    private let health: IndexHealth
    private let cache: EntryCache
    private let recent: SharedRecentTransactions
    private let commitsKept: CommitVersion
    private let checkpointPages: Int
    private var last: CommitVersion
    private var oldestCursor: CommitVersion
    private var mark: JournalMark?
    private var pagesSinceCheckpoint: Int
    /// The keys that the open transaction changes.
    private var changed: [Key] = []

    /// Commits whose rows of the log are dropped at a time.
    private static let pruneLot: CommitVersion = 1024

    init(
        path: String, options: EmbeddedIndex.Options, health: IndexHealth, cache: EntryCache,
        recent: SharedRecentTransactions
    ) throws(SQLiteError) {
        let connection = try SQLiteConnection(path: path, access: .readWrite, fileSystem: options.fileSystem)
        try IndexSchema.prepareWriter(connection, cacheKiB: options.writerCacheKiB)
        let reader = try IndexReader(connection)
        let put = try connection.prepare(
            "INSERT INTO entry(key, version, value) VALUES(?1, ?2, ?3) "
                + "ON CONFLICT(key) DO UPDATE SET version = ?2, value = ?3")
        let remove = try connection.prepare("DELETE FROM entry WHERE key = ?1")
        let appendLog = try connection.prepare(
            "INSERT INTO log(version, epoch, counter, mutations) VALUES(?1, ?2, ?3, ?4)")
        let set = try connection.prepare(
            "INSERT INTO setting(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = ?2")
        let last = try IndexSchema.lastVersion(connection)
        let oldestCursor = CommitVersion(
            bitPattern: try connection.number("SELECT value FROM setting WHERE name = 'oldest_cursor'") ?? 0)
        let marked = try connection.number("SELECT value FROM setting WHERE name = 'mark_version'")
        let chain = try connection.bytes("SELECT value FROM setting WHERE name = 'mark_chain'")
        let mark = marked.map { JournalMark(version: CommitVersion(bitPattern: $0), chain: chain) }
        try recent.load(from: connection)
        self.commitsKept = CommitVersion(max(1, options.commitsKept))
        checkpointPages = options.checkpointPages
        // What killed processes have left counts too: otherwise those that are killed often never copy it.
        pagesSinceCheckpoint = connection.pagesInLog()
        (self.health, self.cache, self.recent) = (health, cache, recent)
        (self.last, self.oldestCursor, self.mark) = (last, oldestCursor, mark)
        self.reader = reader
        self.put = put
        self.remove = remove
        self.appendLog = appendLog
        self.set = set
        self.connection = connection
    }

    /// Serves a group. Every reply is given exactly once.
    mutating func serve(_ group: [WriterRequest]) {
        if let suspicion = health.suspicion {
            for request in group { request.fail(.notCommitted("the index is suspect: \(suspicion)")) }
            return
        }
        var answers: [() -> Void] = []
        answers.reserveCapacity(group.count)
        let before = (last, oldestCursor, mark)
        changed.removeAll(keepingCapacity: true)
        var staged = StagedTransactions()
        do throws(SQLiteError) {
            try connection.execute("BEGIN IMMEDIATE")
            for request in group { answers.append(try perform(request, &staged)) }
            try pruneLog()
        } catch {
            (last, oldestCursor, mark) = before
            abandon(group, error)
            return
        }
        // Before anybody can see the group in the file, and until that is decided.
        cache.begin(changed)
        do throws(SQLiteError) {
            try connection.execute("COMMIT")
        } catch {
            defer { cache.end() }
            (last, oldestCursor, mark) = before
            // No room: the commit's last frame was not written, so nothing of it counts. Anything else may have left
            // the frame on the disk or not, and a sync that failed is never tried again: the kernel may have dropped
            // the pages.
            guard !error.isFull else { return abandon(group, error) }
            health.suspect(error.description)
            for request in group { request.fail(.unknown(error.description)) }
            return
        }
        recent.append(staged)
        cache.end()
        for answer in answers { answer() }
        checkpointIfDue()
    }

    private func abandon(_ group: [WriterRequest], _ error: SQLiteError) {
        if connection.isInTransaction {
            do throws(SQLiteError) { try connection.execute("ROLLBACK") } catch { health.suspect(error.description) }
        }
        let failure = health.failure(error)
        for request in group { request.fail(failure) }
    }

    /// Does what a request asks inside the open transaction, and returns how to answer once the group is durable.
    private mutating func perform(
        _ request: WriterRequest, _ staged: inout StagedTransactions
    ) throws(SQLiteError) -> () -> Void {
        switch request {
        case .commit(let transaction, let reply):
            let result = try commit(transaction, &staged)
            return { reply.resume(returning: result) }
        case .keepChanges(let mark, let reply):
            try setNumber("mark_version", mark.version)
            try set.bind(1, "mark_chain")
            try set.bind(2, mark.chain)
            try set.run()
            self.mark = mark
            return { reply.resume(returning: .success(())) }
        case .load(let entries, let reply):
            guard last == 0 else {
                return { reply.resume(returning: .failure(.notCommitted("the index is not fresh"))) }
            }
            for entry in entries {
                changed.append(entry.key)
                try write(entry.key, entry.value, version: entry.version)
            }
            return { reply.resume(returning: .success(())) }
        case .finishLoading(let version, let reply):
            try setNumber("oldest_cursor", version)
            (last, oldestCursor) = (version, version)
            return { reply.resume(returning: .success(())) }
        case .replay(let changes, let reply):
            let result = try replay(changes)
            return { reply.resume(returning: result) }
        case .kept(let reply):
            let kept = KeptChanges(oldestCursor: oldestCursor, last: last, mark: mark)
            return { reply.resume(returning: .success(kept)) }
        }
    }

    private mutating func commit(
        _ transaction: Transaction, _ staged: inout StagedTransactions
    ) throws(SQLiteError) -> Result<CommitVersion, MetadataError> {
        guard !staged.contains(transaction.id), recent.outcome(of: transaction.id) == .never else {
            return .failure(.unknown("a transaction of this id was applied before"))
        }
        let plan = try TransactionPlan.decide(
            transaction, read: { key throws(SQLiteError) in try reader.entry(key) },
            isEmpty: { range throws(SQLiteError) in try reader.isEmpty(range) })
        switch plan {
        case .refuse(let error): return .failure(error)
        case .apply(let effects):
            last += 1
            try apply(effects, Change(version: last, mutations: transaction.mutations), id: transaction.id)
            staged.append(transaction.id, version: last)
            return .success(last)
        }
    }

    private mutating func replay(_ changes: [Change]) throws(SQLiteError) -> Result<Void, MetadataError> {
        for change in changes {
            guard change.version > last else { return .failure(.notCommitted("a change came out of order")) }
            let plan = try TransactionPlan.effects(
                of: change.mutations, read: { key throws(SQLiteError) in try reader.entry(key) })
            switch plan {
            case .refuse(let error): return .failure(error)
            case .apply(let effects): try apply(effects, change, id: nil)
            }
            last = change.version
        }
        return .success(())
    }

    private mutating func apply(
        _ effects: [TransactionPlan.Effect], _ change: Change, id: TransactionID?
    ) throws(SQLiteError) {
        for effect in effects {
            changed.append(effect.key)
            if let value = effect.value {
                try write(effect.key, value, version: change.version)
            } else {
                try remove.bind(1, effect.key)
                try remove.run()
            }
        }
        try appendLog.bind(1, Int64(bitPattern: change.version))
        try appendLog.bind(2, Int64(id?.epoch ?? 0))
        try appendLog.bind(3, Int64(bitPattern: id?.counter ?? 0))
        try appendLog.bind(4, MutationCoding.encode(change.mutations))
        try appendLog.run()
    }

    private func write(_ key: Key, _ value: [UInt8], version: CommitVersion) throws(SQLiteError) {
        try put.bind(1, key)
        try put.bind(2, Int64(bitPattern: version))
        try put.bind(3, value)
        try put.run()
    }

    private func setNumber(_ name: String, _ number: CommitVersion) throws(SQLiteError) {
        try set.bind(1, name)
        try set.bind(2, Int64(bitPattern: number))
        try set.run()
    }

    /// Drops rows of the log that are older than the latest commits and not held, and at 16 times as many the held
    /// ones too.
    private mutating func pruneLog() throws(SQLiteError) {
        guard last > commitsKept else { return }
        let free = max(
            min(last - commitsKept, mark?.version ?? last), last > commitsKept * 16 ? last - commitsKept * 16 : 0)
        guard free >= oldestCursor + Self.pruneLot else { return }
        let limit = min(free, oldestCursor + Self.pruneLot * 4)
        try recent.remember(forgottenThrough: limit, in: connection)
        try connection.execute("DELETE FROM log WHERE version <= \(limit)")
        try setNumber("oldest_cursor", limit)
        oldestCursor = limit
    }

    private mutating func checkpointIfDue() {
        pagesSinceCheckpoint += connection.takePagesWritten()
        guard pagesSinceCheckpoint >= checkpointPages else { return }
        pagesSinceCheckpoint = 0
        do throws(SQLiteError) {
            _ = try connection.checkpoint()
        } catch {
            // Nothing committed is lost: it is in the log. Without room the log grows until there is some; but a file
            // that cannot be written or synced is not to be trusted.
            if !error.isFull { health.suspect(error.description) }
        }
    }

    /// Copies the whole log into the file before the connection closes. Without it a later start does so.
    func finish() {
        guard health.suspicion == nil else { return }
        do throws(SQLiteError) {
            _ = try connection.checkpoint(truncating: true)
        } catch {
            health.suspect(error.description)
        }
    }
}
