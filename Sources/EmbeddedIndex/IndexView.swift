package import Metadata

/// What the file of an index held at one moment, for reading alone; the index may be open in another process.
///
/// It takes no lock that a writer waits for and never checkpoints. While it is open the write-ahead log cannot begin
/// anew, so that it grows with what is committed.
package final class IndexView: ReadableIndex {
    /// The last commit that it shows.
    package let version: CommitVersion
    private let requests: RequestQueue<ReaderRequest>
    private let threads: ThreadGroup

    private static let cacheKiB = 8 << 10

    private init(version: CommitVersion, requests: RequestQueue<ReaderRequest>, threads: ThreadGroup) {
        (self.version, self.requests, self.threads) = (version, requests, threads)
    }

    deinit {
        threads.close()
    }

    /// Begins a view that shows every commit that returned before.
    ///
    /// - Throws: `IndexOpenError` where there is no such file, where it is not an index of this program's format, or
    ///   where the system refuses.
    package static func open(path: String) async throws(IndexOpenError) -> IndexView {
        guard let semaphore = SystemSemaphore() else { throw .unavailable("the system has no semaphore left") }
        let requests = RequestQueue<ReaderRequest>(limit: 1 << 10, semaphore: semaphore)
        let (begun, threads) = (SnapshotVersion(), ThreadGroup())
        do throws(SQLiteError) {
            try await threads.start("index-view", end: { requests.close() }) { started throws(SQLiteError) in
                let connection = try SQLiteConnection(path: path, access: .readOnly)
                try IndexSchema.prepareReader(connection, cacheKiB: cacheKiB)
                try connection.execute("BEGIN")
                // The first read fixes the moment.
                try IndexSchema.check(connection)
                let reader = try IndexReader(connection)
                begun.set(try IndexSchema.lastVersion(connection))
                started()
                while let batch = requests.take(1) {
                    for request in batch { perform(request, reader) }
                }
            }
        } catch {
            throw IndexOpenError(error)
        }
        return IndexView(version: begun.value, requests: requests, threads: threads)
    }

    private static func perform(_ request: ReaderRequest, _ reader: borrowing IndexReader) {
        do throws(SQLiteError) {
            switch request {
            case .values(let keys, let reply):
                var entries: [Entry?] = []
                for key in keys { entries.append(try reader.entry(key)) }
                reply.resume(returning: .success(entries))
            case .pages(let scans, let reply):
                var pages: [Page] = []
                for scan in scans { pages.append(try reader.page(scan)) }
                reply.resume(returning: .success(pages))
            case .changes: request.fail(.notCommitted("a view knows no changes"))
            }
        } catch {
            request.fail(.notCommitted(error.description))
        }
    }

    package func values(of keys: [Key]) async throws(MetadataError) -> [Entry?] {
        try await withCheckedContinuation { reply in
            self.ask(.values(keys, reply))
        }.get()
    }

    package func pages(of scans: [Scan]) async throws(MetadataError) -> [Page] {
        for scan in scans { try scan.check() }
        return try await withCheckedContinuation { reply in
            self.ask(.pages(scans, reply))
        }.get()
    }

    private func ask(_ request: ReaderRequest) {
        if !requests.push(request) { request.fail(.notCommitted("the view is closed, or too many requests wait")) }
    }

    /// Lets go of the file. Later calls throw.
    package func close() async {
        threads.close()
        await threads.waitUntilEmpty()
    }
}
