package import Metadata
package import Pools
package import Primitives

/// Counts how far every blob of the index is from its loss, and when a scrub read it last, without reading a byte of
/// them: by the blob's record, by what waits for repair, and by which stores answer.
package struct CensusTaker: Sendable {
    /// Rows of the index that are read at once.
    private static let pageRows = 1000

    private let index: any MetadataIndex
    private let environment: any Environment

    package init(_ index: any MetadataIndex, environment: any Environment) {
        (self.index, self.environment) = (index, environment)
    }

    /// - Parameters:
    ///   - stores: By position.
    ///   - placements: The lists by which blobs were placed, the current one last.
    ///   - within: How long ago a shard may have been read last before it is overdue.
    /// - Throws: `index`, `cancelled`.
    package func take(
        _ stores: [StoreView], _ placements: [Placement], within: Duration
    ) async throws(WorkerError) -> DistanceCensus {
        let coverage = try await ScrubCoverage.read(from: index)
        let limit = environment.now() + (.zero - within)
        var (census, start): (DistanceCensus, Key?) = (DistanceCensus(), Keys.blobs("b").lowerBound.key)
        while let from = start {
            guard !Task.isCancelled else { throw .cancelled }
            let scan = Scan(.keys(from: from, below: Keys.blobs("b").upperBound.key), limit: Self.pageRows)
            let page = try await index.answered { index throws(MetadataError) in try await index.scan(scan) }
            let damaged = try await damaged(page.entries)
            for entry in page.entries {
                guard let name = Keys.blobName(entry.key) else {
                    census.unreadable += 1
                    continue
                }
                let locator: BlobLocator
                do throws(WorkerError) {
                    locator = try entry.locator(naming: name)
                } catch {
                    census.unreadable += 1
                    continue
                }
                let row = damaged[name]
                if row != nil { census.damaged += 1 }
                let homes = locator.stores(placedBy: placements, of: stores.count)
                census.add(locator, homes: homes, lost: row?.lost ?? 0, stores)
                census.add(read: coverage.read(name), bytes: locator.length, overdueBefore: limit)
            }
            start = page.next
        }
        return census
    }

    /// The rows of the queue of repairs for the blobs of a page, which both are in the order of the names.
    private func damaged(_ blobs: [Entry]) async throws(WorkerError) -> [BlobName: DamagedRecord] {
        let names = blobs.compactMap { Keys.blobName($0.key) }
        guard let first = names.first, let last = names.last else { return [:] }
        let (rows, _) = try await index.entries(
            in: .keys(from: Keys.damaged(first), below: Keys.damaged(last) + [0]), limit: .max)
        var found: [BlobName: DamagedRecord] = [:]
        for row in rows {
            if let name = Keys.blobName(row.key) { found[name] = RepairService.record(row) }
        }
        return found
    }
}
