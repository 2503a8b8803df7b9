import Metadata

/// A connection that reads, with its statements. It never checkpoints.
struct ReadServer: ~Copyable {
    private let connection: SQLiteConnection
    private let reader: IndexReader
    private let oldestCursor: SQLiteStatement
    private let health: IndexHealth
    private let cache: EntryCache

    init(path: String, cacheKiB: Int, health: IndexHealth, cache: EntryCache) throws(SQLiteError) {
        let connection = try SQLiteConnection(path: path, access: .readOnly)
        try IndexSchema.prepareReader(connection, cacheKiB: cacheKiB)
        let reader = try IndexReader(connection)
        let oldestCursor = try connection.prepare("SELECT value FROM setting WHERE name = 'oldest_cursor'")
        self.health = health
        self.cache = cache
        self.reader = reader
        self.oldestCursor = oldestCursor
        self.connection = connection
    }

    /// Serves requests from one snapshot, which begins after all of them were made. Every reply is given exactly once.
    func serve(_ batch: [ReaderRequest]) {
        if let suspicion = health.suspicion {
            for request in batch { request.fail(.notCommitted("the index is suspect: \(suspicion)")) }
            return
        }
        let moment = cache.moment
        do throws(SQLiteError) {
            try connection.execute("BEGIN")
        } catch {
            let failure = health.failure(error)
            for request in batch { request.fail(failure) }
            return
        }
        for request in batch { perform(request, since: moment) }
        do throws(SQLiteError) {
            try connection.execute("COMMIT")
        } catch {
            // The end of a transaction that only read cannot fail but for a damaged connection.
            health.suspect(error.description)
        }
    }

    private func perform(_ request: ReaderRequest, since moment: UInt64) {
        do throws(SQLiteError) {
            switch request {
            case .values(let keys, let reply):
                var entries: [Entry?] = []
                entries.reserveCapacity(keys.count)
                for key in keys { entries.append(try reader.entry(key)) }
                cache.remember(entries, of: keys, since: moment)
                reply.resume(returning: .success(entries))
            case .pages(let scans, let reply):
                var pages: [Page] = []
                for scan in scans { pages.append(try reader.page(scan)) }
                reply.resume(returning: .success(pages))
            case .changes(let after, let limit, let reply):
                let oldest = try oldestVersion()
                guard after >= oldest else {
                    return reply.resume(
                        returning: .failure(.notCommitted("changes are kept after commit \(oldest) only")))
                }
                reply.resume(returning: .success(try reader.changes(after: after, limit: limit)))
            }
        } catch {
            request.fail(health.failure(error))
        }
    }

    private func oldestVersion() throws(SQLiteError) -> CommitVersion {
        defer { oldestCursor.reset() }
        return try oldestCursor.step() ? CommitVersion(bitPattern: oldestCursor.number(0)) : 0
    }
}
