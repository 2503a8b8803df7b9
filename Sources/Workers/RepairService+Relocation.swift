import Metadata
package import Pools
import Primitives
import Storage
import Synchronization

/// What a pass over the blobs found of shards that are to move.
package struct RelocationReport: Sendable, Hashable {
    /// Blobs that were looked at.
    package var blobs = 0
    /// Blobs that had shards to move, and have none any more.
    package var moved = 0
    /// Blobs of which some could not be moved yet.
    package var left = 0

    package init() {}
}

/// How stores are emptied, and others filled.
///
/// A shard is copied, read back, and named by a commit of its blob's record; only then, and after the reads that began
/// before, does the old one go: no read finds nothing.
extension RepairService {
    /// Rows of the index that are read at once.
    private static let pageRows = 256
    /// How long to wait for replaced shards to be removed, before it is looked again.
    private static let pause = Duration.milliseconds(50)

    /// Looks at every blob, and moves what is to move.
    ///
    /// - Parameters:
    ///   - isWanted: Whether to go on, asked before each page of the index.
    ///   - progress: Told of the pass so far, after each blob.
    /// - Throws: `index`, `fenced`, `cancelled`. A blob that cannot be moved is no error.
    package func relocationPass(
        _ relocation: Relocation = .fromLeavingStores, while isWanted: () -> Bool = { true },
        progress: (RelocationReport) -> Void = { _ in }
    ) async throws(WorkerError) -> RelocationReport {
        var report = RelocationReport()
        var pages = BlobPages()
        var names: ArraySlice<BlobName> = []
        try await ParallelWork.run(width: settings.width) { () async throws(WorkerError) -> BlobName? in
            while names.isEmpty {
                guard isWanted(), let page = try await nextPage(&pages, relocation) else { return nil }
                report.blobs += page.looked
                names = page.names[...]
            }
            return names.popFirst()
        } work: { (name) async throws(WorkerError) in
            try await self.pace.wait()
            try await self.removeReplacedInTime()
            return try await self.relocate(name, relocation)
        } done: { isMoved in
            if isMoved { report.moved += 1 } else { report.left += 1 }
            progress(report)
        }
        return report
    }

    /// How many blobs have shards that are to move.
    package func countToMove(_ relocation: Relocation = .fromLeavingStores) async throws(WorkerError) -> Int {
        var (count, pages) = (0, BlobPages())
        while let page = try await nextPage(&pages, relocation) {
            guard !Task.isCancelled else { throw .cancelled }
            count += page.names.count
        }
        return count
    }

    /// Where a pass over the rows of the blobs is.
    private struct BlobPages {
        var start: Key? = Keys.blobs("b").lowerBound.key
    }

    /// The names of the blobs of the next page that are to be moved, and how many rows were read to find them; nil at
    /// the end.
    private func nextPage(
        _ pages: inout BlobPages, _ relocation: Relocation
    ) async throws(WorkerError) -> (names: [BlobName], looked: Int)? {
        guard let from = pages.start else { return nil }
        let scan = Scan(.keys(from: from, below: Keys.blobs("b").upperBound.key), limit: Self.pageRows)
        let page = try await commits.index.answered { index throws(MetadataError) in try await index.scan(scan) }
        var names: [BlobName] = []
        for entry in page.entries {
            guard let name = Keys.blobName(entry.key) else { continue }
            do throws(WorkerError) {
                if pool.isToMove(try entry.locator(naming: name), relocation) { names.append(name) }
            } catch {
                // Nobody knows where the shards of such a record lie: the store is not known to be empty.
                report(.failed(.repair, error, retry: nil))
                names.append(name)
            }
        }
        pages.start = page.next
        return (names, page.entries.count)
    }

    /// Moves what is to move of a blob, and says whether nothing is left of that.
    private func relocate(_ name: BlobName, _ relocation: Relocation) async throws(WorkerError) -> Bool {
        guard claims.claim(name) else { return false }
        defer { claims.release(name) }
        guard let blob = try await read(name).blob else { return true }
        let done: RepairReport
        do throws(WorkerError) {
            let locator = try blob.locator(naming: name)
            do throws(StorageError) {
                done = try await pool.relocate(locator, relocation)
            } catch {
                throw .storage(error)
            }
        } catch {
            report(.failed(.repair, error, retry: nil))
            return false
        }
        pace.moved(done.bytesWritten)
        if !done.repairs.isEmpty { try await conclude(done, name, blob, nil) }
        return !pool.isToMove(done.locator, relocation)
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
