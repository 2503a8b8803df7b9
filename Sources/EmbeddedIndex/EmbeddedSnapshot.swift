import Metadata

/// A snapshot of the file: a read transaction on a thread and a connection of its own.
///
/// While it is open the write-ahead log cannot begin anew, so that it grows with what is committed.
final class EmbeddedSnapshot: IndexSnapshot {
    let version: CommitVersion
    private let requests: RequestQueue<Reply<[Entry]?>>

    private init(version: CommitVersion, requests: RequestQueue<Reply<[Entry]?>>) {
        (self.version, self.requests) = (version, requests)
    }

    deinit {
        requests.close()
    }

    /// Begins a snapshot that holds every commit that returned before.
    static func open(
        path: String, cacheKiB: Int, _ health: IndexHealth, _ threads: ThreadGroup
    ) async throws(MetadataError) -> EmbeddedSnapshot {
        guard let semaphore = SystemSemaphore() else { throw .notCommitted("the system has no semaphore left") }
        let requests = RequestQueue<Reply<[Entry]?>>(limit: 1, semaphore: semaphore)
        let begun = SnapshotVersion()
        do throws(SQLiteError) {
            try await threads.start("index-snapshot", end: { requests.close() }) { started throws(SQLiteError) in
                let connection = try SQLiteConnection(path: path, access: .readOnly)
                try IndexSchema.prepareReader(connection, cacheKiB: cacheKiB)
                let reader = try IndexReader(connection)
                try connection.execute("BEGIN")
                // The first read fixes the snapshot.
                begun.set(try IndexSchema.lastVersion(connection))
                started()
                serve(requests, reader, health)
            }
        } catch {
            throw .notCommitted(error.description)
        }
        return EmbeddedSnapshot(version: begun.value, requests: requests)
    }

    private static func serve(
        _ requests: RequestQueue<Reply<[Entry]?>>, _ reader: borrowing IndexReader, _ health: IndexHealth
    ) {
        let end = Range<KeyBound>.everything.upperBound.key
        var cursor: Key? = []
        while let batch = requests.take(1) {
            for reply in batch {
                guard let start = cursor else {
                    reply.resume(returning: .success(nil))
                    continue
                }
                do throws(SQLiteError) {
                    let page = try reader.page(Scan(.keys(from: start, below: end), limit: 1000))
                    cursor = page.next
                    reply.resume(returning: .success(page.rows.isEmpty ? nil : page.entries))
                } catch {
                    reply.resume(returning: .failure(health.failure(error)))
                }
            }
        }
    }

    func next() async throws(MetadataError) -> [Entry]? {
        try await withCheckedContinuation { (reply: Reply<[Entry]?>) in
            if !requests.push(reply) {
                reply.resume(returning: .failure(.notCommitted("the snapshot is closed, or read by two at once")))
            }
        }.get()
    }

    func close() async {
        requests.close()
    }
}
