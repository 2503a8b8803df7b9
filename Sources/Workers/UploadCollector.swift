import Metadata
package import Primitives

/// Removes the tombstones of completed uploads once no client asks for them any more.
package struct UploadCollector: Sendable {
    private static let pageRows = 500

    private let commits: WorkerCommits
    private let environment: any Environment
    private let age: Duration

    /// - Parameter age: How long a completed upload answers a client's retry with its first answer.
    package init(commits: WorkerCommits, environment: any Environment, age: Duration = .seconds(7 * 86_400)) {
        (self.commits, self.environment, self.age) = (commits, environment, age)
    }

    /// Looks at the uploads of every bucket.
    ///
    /// - Returns: How many tombstones were removed.
    /// - Throws: `index`, `fenced`, and `malformed` for a bucket whose record cannot be read.
    package func pass() async throws(WorkerError) -> Int {
        var removed = 0
        try await eachPage(of: Keys.buckets()) { buckets throws(WorkerError) in
            for entry in buckets {
                try await eachPage(of: .prefix(Keys.room(try Self.bucket(entry), "u"))) { uploads throws(WorkerError) in
                    removed += try await forget(uploads)
                }
            }
        }
        return removed
    }

    private static func bucket(_ entry: Entry) throws(WorkerError) -> BucketID {
        do throws(RecordError) {
            return try BucketRecord(encoded: entry.value).id
        } catch {
            throw .malformed(entry.key)
        }
    }

    private func eachPage(
        of range: Range<KeyBound>, _ work: ([Entry]) async throws(WorkerError) -> Void
    ) async throws(WorkerError) {
        var start: Key? = range.lowerBound.key
        while let from = start {
            let scan = Scan(.keys(from: from, below: range.upperBound.key), limit: Self.pageRows)
            let page = try await commits.index.answered { index throws(MetadataError) in try await index.scan(scan) }
            try await work(page.entries)
            start = page.next
            guard !Task.isCancelled else { throw .cancelled }
        }
    }

    private func forget(_ uploads: [Entry]) async throws(WorkerError) -> Int {
        let now = environment.now()
        let old = uploads.filter { entry in
            do throws(RecordError) {
                let record = try UploadRecord(encoded: entry.value)
                guard record.state == .completed, let completed = record.result?.completed else { return false }
                return now - completed > age
            } catch {
                return false  // Whoever lists the uploads meets it; it is no tombstone for certain.
            }
        }
        guard !old.isEmpty else { return 0 }
        do throws(WorkerError) {
            _ = try await commits.commit(old.map { .version($0.key, $0.version) }, old.map { .remove($0.key) })
            return old.count
        } catch .index(.conflict) {
            return 0  // One of them changed: the next pass looks again.
        }
    }
}
