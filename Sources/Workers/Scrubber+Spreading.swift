import Metadata
import Pools
import Primitives

/// What can be told of blobs without reading a byte of them.
extension Scrubber {
    /// Looks at where the shards of every blob lie, and queues those that share a failure domain although another one
    /// could take them: after a store has come back that writes had to go round.
    ///
    /// - Returns: How many shards are to move.
    /// - Throws: `index`, `fenced`, `cancelled`.
    package func spreadingPass() async throws(WorkerError) -> Int {
        let blobs = Keys.blobs("b")
        var (count, start): (Int, Key?) = (0, blobs.lowerBound.key)
        while let from = start {
            guard !Task.isCancelled else { throw .cancelled }
            let scan = Scan(.keys(from: from, below: blobs.upperBound.key), limit: settings.pageRows)
            let page = try await commits.index.answered { index throws(MetadataError) in try await index.scan(scan) }
            for entry in page.entries {
                guard let name = Keys.blobName(entry.key) else { continue }
                for damage in crowding(entry, name) {
                    queue.report(name, damage)
                    count += 1
                }
            }
            if queue.count > 0 { try await queue.flush(commits) }
            start = page.next
        }
        return count
    }

    private func crowding(_ entry: Entry, _ name: BlobName) -> [ShardDamage] {
        do throws(WorkerError) {
            return pool.crowded(try entry.locator(naming: name)).compactMap { Self.damage($0) }
        } catch {
            report(.failed(.scrubber, error, retry: nil))
            return []
        }
    }
}
