import Metadata
import Pools
import Primitives
import Storage
import Synchronization

/// What a pass over the blobs found of shards on stores that are to be emptied.
package struct RelocationReport: Sendable, Hashable {
    /// Blobs that were looked at.
    package var blobs = 0
    /// Blobs of which every shard lies on a store that stays, by now.
    package var moved = 0
    /// Blobs of which some could not be moved yet.
    package var left = 0

    package init() {}
}

/// How stores are emptied.
///
/// A shard is copied, read back, and named by a commit of its blob's record; only then, and after the reads that began
/// before, does the old one go: no read finds nothing.
extension RepairService {
    /// Blobs that are moved side by side.
    private static let width = 8
    /// Rows of the index that are read at once.
    private static let pageRows = 256
    /// How long to wait for replaced shards to be removed, before it is looked again.
    private static let pause = Duration.milliseconds(50)

    /// Looks at every blob, and moves what lies on stores that the pool's current list has not any more.
    ///
    /// - Parameter progress: Told of the pass so far, after each page.
    /// - Throws: `index`, `fenced`, `cancelled`. A blob that cannot be moved is no error.
    package func relocationPass(
        progress: (RelocationReport) -> Void = { _ in }
    ) async throws(WorkerError) -> RelocationReport {
        var report = RelocationReport()
        try await eachLeavingPage { (names, looked) throws(WorkerError) in
            report.blobs += looked
            for start in stride(from: 0, to: names.count, by: Self.width) {
                guard !Task.isCancelled else { throw .cancelled }
                let moved = try await relocate(Array(names[start..<min(start + Self.width, names.count)]))
                report.moved += moved.count { $0 }
                report.left += moved.count { !$0 }
                try await removeReplacedInTime()
            }
            progress(report)
        }
        return report
    }

    /// How many blobs have shards on such stores.
    package func countLeaving() async throws(WorkerError) -> Int {
        var count = 0
        try await eachLeavingPage { names, _ in count += names.count }
        return count
    }

    /// Hands on the names of the blobs that are to be moved, and how many rows were read to find them.
    private func eachLeavingPage(
        _ use: ([BlobName], Int) async throws(WorkerError) -> Void
    ) async throws(WorkerError) {
        var start: Key? = Keys.blobs("b").lowerBound.key
        while let from = start {
            guard !Task.isCancelled else { throw .cancelled }
            let scan = Scan(.keys(from: from, below: Keys.blobs("b").upperBound.key), limit: Self.pageRows)
            let page = try await commits.index.answered { index throws(MetadataError) in try await index.scan(scan) }
            var names: [BlobName] = []
            for entry in page.entries {
                guard let name = Keys.blobName(entry.key) else { continue }
                do throws(WorkerError) {
                    if pool.isLeaving(try entry.locator(naming: name)) { names.append(name) }
                } catch {
                    // Nobody knows where the shards of such a record lie: the store is not known to be empty.
                    report(.failed(.repair, error, retry: nil))
                    names.append(name)
                }
            }
            try await use(names, page.entries.count)
            start = page.next
        }
    }

    /// Moves blobs side by side, and says of each whether it has nothing left on such a store.
    private func relocate(_ names: [BlobName]) async throws(WorkerError) -> [Bool] {
        let results = await withTaskGroup(of: Result<Bool, WorkerError>.self) { group in
            for name in names {
                group.addTask {
                    do throws(WorkerError) {
                        return .success(try await self.relocate(name))
                    } catch {
                        return .failure(error)
                    }
                }
            }
            var results: [Result<Bool, WorkerError>] = []
            for await result in group { results.append(result) }
            return results
        }
        var moved: [Bool] = []
        for result in results { moved.append(try result.get()) }
        return moved
    }

    private func relocate(_ name: BlobName) async throws(WorkerError) -> Bool {
        guard claims.claim(name) else { return false }
        defer { claims.release(name) }
        guard let blob = try await read(name).blob else { return true }
        let done: RepairReport
        do throws(WorkerError) {
            let locator = try blob.locator(naming: name)
            do throws(StorageError) {
                done = try await pool.relocate(locator)
            } catch {
                throw .storage(error)
            }
        } catch {
            report(.failed(.repair, error, retry: nil))
            return false
        }
        guard !done.repairs.isEmpty else { return !pool.isLeaving(done.locator) }
        try await conclude(done, name, blob, nil)
        return !pool.isLeaving(done.locator)
    }

    /// Waits until there is room for more replaced shards, each of which goes when no read wants it any more.
    private func removeReplacedInTime() async throws(WorkerError) {
        while true {
            await removeReplaced()
            guard replaced.withLock({ $0.count }) > settings.mostReplaced / 2 else { return }
            do throws(CancellationError) {
                try await environment.sleep(for: Self.pause)
            } catch {
                throw .cancelled
            }
        }
    }
}
