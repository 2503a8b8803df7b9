package import Metadata

/// The index in one SQLite file, for one process.
///
/// One thread writes, in groups that share a sync; a few threads read, several requests in one snapshot each. Tasks
/// wait for them without holding a thread, and what was read lately is answered from memory. The page EmbeddedIndex of
/// Decisions says why and how fast.
///
/// A failed read, write or sync of the file makes the index suspect: from then on every call throws. What it held is
/// safe on the disk as far as commits have returned; the process has to end, and the next one recovers the file.
package final class EmbeddedIndex: RestorableIndex {
    /// How an index is opened.
    package struct Options: Sendable {
        /// Threads that read.
        package var readers = 2
        /// KiB of cache for the writer, and for each reader.
        package var writerCacheKiB = 16 << 10
        package var readerCacheKiB = 8 << 10
        /// KiB of entries that are kept in memory as they are, about.
        package var entryCacheKiB = 32 << 10
        /// How many of the latest commits `changes` and `outcome(of:)` know at least.
        package var commitsKept = MetadataLimits.commitsKept
        /// Requests that may wait; further ones are refused.
        package var queueLimit = 1 << 16
        /// Called once, with a message for the log, when the index becomes suspect.
        package var onSuspect: @Sendable (String) -> Void = { _ in }

        /// Pages of 8 KiB in the write-ahead log after which it is copied into the file: enough that pages written
        /// often are copied once, and few enough that a start after a crash reads some 32 MiB.
        var checkpointPages = 4096
        /// For tests: the writer's file system by its name in SQLite (`SQLiteFaults`); nil for the system's.
        var fileSystem: String?

        package init() {}
    }

    /// The format of the file.
    package static var formatVersion: Int64 { IndexSchema.formatVersion }

    private let path: String
    private let options: Options
    private let health: IndexHealth
    private let cache: EntryCache
    private let recent: SharedRecentTransactions
    private let writes: RequestQueue<WriterRequest>
    private let reads: RequestQueue<ReaderRequest>
    private let threads: ThreadGroup

    private init(path: String, options: Options, semaphores: (SystemSemaphore, SystemSemaphore)) {
        (self.path, self.options) = (path, options)
        health = IndexHealth(onSuspect: options.onSuspect)
        cache = EntryCache(bytes: options.entryCacheKiB << 10)
        recent = SharedRecentTransactions(limit: options.commitsKept)
        writes = RequestQueue(limit: options.queueLimit, semaphore: semaphores.0)
        reads = RequestQueue(limit: options.queueLimit, semaphore: semaphores.1)
        threads = ThreadGroup()
    }

    deinit {
        threads.close()
    }

    /// Opens the index in a file, which is created where it does not exist; its directory must.
    ///
    /// - Throws: `IndexOpenError` where another process has it open, where it is not an index of this program's format,
    ///   or where the system refuses.
    package static func open(path: String, options: Options = Options()) async throws(IndexOpenError) -> EmbeddedIndex {
        guard let first = SystemSemaphore(), let second = SystemSemaphore() else {
            throw .unavailable("the system has no semaphore left")
        }
        let index = EmbeddedIndex(path: path, options: options, semaphores: (first, second))
        do throws(SQLiteError) {
            try await index.startWriter()
            for _ in 0..<max(1, options.readers) { try await index.startReader() }
        } catch {
            throw IndexOpenError(error)
        }
        return index
    }

    /// Serves what waits, copies the write-ahead log into the file and closes it. Later calls throw.
    package func close() async {
        cache.close()
        threads.close()
        await threads.waitUntilEmpty()
    }

    /// Why the index is suspect, or nil.
    package var suspicion: String? { health.suspicion }

    package func values(of keys: [Key]) async throws(MetadataError) -> [Entry?] {
        guard keys.count <= MetadataLimits.valuesPerCall else {
            throw .notCommitted("more than \(MetadataLimits.valuesPerCall) keys were asked for at once")
        }
        try health.check()
        if let known = cache.values(of: keys) { return known }
        return try await withCheckedContinuation { reply in
            self.read(.values(keys, reply))
        }.get()
    }

    package func pages(of scans: [Scan]) async throws(MetadataError) -> [Page] {
        for scan in scans { try scan.check() }
        return try await withCheckedContinuation { reply in
            self.read(.pages(scans, reply))
        }.get()
    }

    package func commit(_ transaction: Transaction) async throws(MetadataError) -> CommitVersion {
        try transaction.checkLimits()
        return try await withCheckedContinuation { reply in
            self.write(.commit(transaction, reply))
        }.get()
    }

    package func outcome(of transaction: TransactionID) async throws(MetadataError) -> CommitVersion? {
        try health.check()
        return switch recent.outcome(of: transaction) {
        case .applied(let version): version
        case .never: nil
        case .forgotten: throw .unknown("the transaction is older than those remembered")
        }
    }

    package func changes(after: CommitVersion, limit: Int) async throws(MetadataError) -> [Change] {
        try await withCheckedContinuation { reply in
            self.read(.changes(after: after, limit: limit, reply))
        }.get()
    }

    package func kept() async throws(MetadataError) -> KeptChanges {
        try await withCheckedContinuation { reply in self.write(.kept(reply)) }.get()
    }

    package func keepChanges(after mark: JournalMark) async throws(MetadataError) {
        try await withCheckedContinuation { reply in self.write(.keepChanges(mark, reply)) }.get()
    }

    package func load(_ entries: [Entry]) async throws(MetadataError) {
        try await withCheckedContinuation { reply in self.write(.load(entries, reply)) }.get()
    }

    package func finishLoading(at version: CommitVersion) async throws(MetadataError) {
        try await withCheckedContinuation { reply in self.write(.finishLoading(version, reply)) }.get()
    }

    package func replay(_ changes: [Change]) async throws(MetadataError) {
        try await withCheckedContinuation { reply in self.write(.replay(changes, reply)) }.get()
    }

    package func snapshot() async throws(MetadataError) -> any IndexSnapshot {
        try health.check()
        return try await EmbeddedSnapshot.open(path: path, cacheKiB: options.readerCacheKiB, health, threads)
    }

    private func read(_ request: ReaderRequest) {
        if !reads.push(request) { request.fail(.notCommitted("the index is closed, or too many requests wait")) }
    }

    private func write(_ request: WriterRequest) {
        if !writes.push(request) { request.fail(.notCommitted("the index is closed, or too many requests wait")) }
    }
}

extension EmbeddedIndex {
    /// Transactions that may share a sync.
    private static let groupLimit = 512
    /// Requests that a reader takes at once. A page in front of them delays the rest by less than a millisecond.
    private static let readsAtOnce = 32

    private func startWriter() async throws(SQLiteError) {
        let (path, options) = (path, options)
        let (health, cache, recent, writes) = (health, cache, recent, writes)
        try await threads.start("index-writer", end: { writes.close() }) { started throws(SQLiteError) in
            let lock = try SystemFileLock(path: path + ".lock")
            try SystemFileLock.create(path)
            var writer = try IndexWriter(
                path: path, options: options, health: health, cache: cache, recent: recent)
            started()
            while let group = writes.take(Self.groupLimit) { writer.serve(group) }
            writer.finish()
            lock.hold()
        }
    }

    private func startReader() async throws(SQLiteError) {
        let (path, options) = (path, options)
        let (health, cache, reads) = (health, cache, reads)
        try await threads.start("index-reader", end: { reads.close() }) { started throws(SQLiteError) in
            let server = try ReadServer(
                path: path, cacheKiB: options.readerCacheKiB, health: health, cache: cache)
            started()
            while let batch = reads.take(Self.readsAtOnce) { server.serve(batch) }
        }
    }
}
