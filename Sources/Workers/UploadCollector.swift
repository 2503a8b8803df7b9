import Metadata
package import Primitives

/// Removes the tombstones of completed uploads once no client asks for them any more, and whatever uploads a deleted
/// bucket had.
package struct UploadCollector: Sendable {
    private static let pageRows = 500

    private let commits: WorkerCommits
    private let environment: any Environment
    private let age: Duration

    /// - Parameter age: How long a completed upload answers a client's retry with its first answer.
    package init(commits: WorkerCommits, environment: any Environment, age: Duration = .seconds(7 * 86_400)) {
        (self.commits, self.environment, self.age) = (commits, environment, age)
    }

    /// Looks at the uploads of every bucket, those that were deleted too.
    ///
    /// - Returns: How many uploads were removed.
    /// - Throws: `index`, `fenced`, and `malformed` for a bucket whose record cannot be read.
    package func pass() async throws(WorkerError) -> Int {
        // In this order: a bucket has no rows before its own, and its id is drawn once. So whatever has rows and is
        // then not among the buckets was deleted.
        let withRows = try await bucketsWithRows()
        let living = try await livingBuckets()
        var removed = 0
        for bucket in withRows {
            let uploads = Range<KeyBound>.prefix(Keys.room(bucket, "u"))
            if living.contains(bucket) {
                try await eachPage(of: uploads) { page throws(WorkerError) in
                    removed += try await remove(page.filter(isOldTombstone))
                }
            } else {
                try await eachPage(of: uploads) { page throws(WorkerError) in removed += try await remove(page) }
                try await removeParts(of: bucket)
            }
        }
        return removed
    }

    // MARK: Which buckets

    /// Every bucket that has rows of whatever kind.
    private func bucketsWithRows() async throws(WorkerError) -> [BucketID] {
        var (found, start): ([BucketID], KeyBound) = ([], Keys.rooms.lowerBound)
        while true {
            let scan = Scan(start..<Keys.rooms.upperBound, limit: 1, wantsValues: false)
            let page = try await commits.index.answered { index throws(MetadataError) in try await index.scan(scan) }
            guard let key = page.entries.first?.key else { return found }
            let bucket = Keys.bucket(ofRoom: key)
            found.append(bucket)
            // From the first row of one bucket to behind its last.
            start = Keys.rooms(bucket).upperBound
            guard !Task.isCancelled else { throw .cancelled }
        }
    }

    private func livingBuckets() async throws(WorkerError) -> Set<BucketID> {
        var living: Set<BucketID> = []
        try await eachPage(of: Keys.buckets()) { page throws(WorkerError) in
            for entry in page { living.insert(try Self.bucket(entry)) }
        }
        return living
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

    // MARK: Uploads and parts

    private func isOldTombstone(_ entry: Entry) -> Bool {
        do throws(RecordError) {
            let record = try UploadRecord(encoded: entry.value)
            guard record.state == .completed, let completed = record.result?.completed else { return false }
            return environment.now() - completed > age
        } catch {
            return false  // Whoever lists the uploads meets it; it is no tombstone for certain.
        }
    }

    private func remove(_ uploads: [Entry]) async throws(WorkerError) -> Int {
        guard !uploads.isEmpty else { return 0 }
        do throws(WorkerError) {
            _ = try await commits.commit(uploads.map { .version($0.key, $0.version) }, uploads.map { .remove($0.key) })
            return uploads.count
        } catch .index(.conflict) {
            return 0  // One of them changed: the next pass looks again.
        }
    }

    /// Removes what parts a deleted bucket has, and gives up the blobs that they refer to.
    ///
    /// A part is put on condition that its upload is there, so that none comes any more once no upload is left. Where a
    /// process dies in between, the parts are rows of a deleted bucket still.
    private func removeParts(of bucket: BucketID) async throws(WorkerError) {
        let noUpload = Condition.rangeEmpty(.prefix(Keys.room(bucket, "u")))
        try await eachPage(of: .prefix(Keys.room(bucket, "q"))) { page throws(WorkerError) in
            var (conditions, mutations): ([Condition], [Mutation]) = ([noUpload], [])
            for entry in page {
                let part: PartRecord
                do throws(RecordError) {
                    part = try PartRecord(encoded: entry.value)
                } catch {
                    continue  // What it refers to is not known, and is kept with it.
                }
                conditions.append(.version(entry.key, entry.version))
                mutations.append(.remove(entry.key))
                for segment in part.segments {
                    mutations.append(.remove(Keys.reference(segment.blob, segment.reference)))
                    mutations.append(.put(Keys.trash(segment.blob), []))
                }
            }
            guard !mutations.isEmpty else { return }
            do throws(WorkerError) {
                _ = try await commits.commit(conditions, mutations)
            } catch .index(.conflict) {
                // An upload could not be removed yet, or a part changed: the next pass looks again.
            }
        }
    }
}
