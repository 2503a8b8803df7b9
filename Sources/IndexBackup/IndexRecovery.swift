package import Metadata
import Primitives
package import Storage

/// Brings an index back from the copies that `IndexBackup` keeps.
package enum IndexRecovery {
    /// Fills a fresh index with the newest whole snapshot and with the journal after it, as far as its chain reaches.
    ///
    /// Every copy is checked against its digest, and another store's is taken where it fails, so that up to m of the
    /// stores may be gone and any one copy be damaged.
    /// - Throws: `noSnapshot`; `index` where the index is not fresh or refuses; `lost` where a store fails meanwhile.
    ///   The index is of no use then.
    ///
    /// - Parameter patience: How long stores are waited for; one that hangs is passed over.
    package static func restore(
        from stores: [any BlobStore], into index: any RestorableIndex, patience: StorePatience
    ) async throws(IndexBackupError) -> IndexRecoveryReport {
        var recovery = Recovery(stores: BackupStores(stores, copies: 1, patience))
        return try await recovery.restore(into: index)
    }
}

/// What a recovery used, and what it missed.
package struct IndexRecoveryReport: Sendable, Hashable {
    /// The commit of the snapshot, and the writer that took it.
    package var snapshotVersion: CommitVersion = 0
    package var snapshotEpoch: UInt32 = 0
    /// Entries that the snapshot had.
    package var entries = 0
    /// Segments of the journal and commits in them that were applied.
    package var segments = 0
    package var commits = 0
    /// The last commit that the index has now: every commit up to it is there.
    package var completeThrough: CommitVersion = 0
    /// A commit after `completeThrough` that a segment of the journal begins with: the chain is broken before it.
    package var journalGoesOnAt: CommitVersion?
    /// The greatest writer epoch of any blob of the backup: a writer that follows must have a greater one.
    package var highestEpoch: UInt32 = 0
    /// Positions of stores that did not answer.
    package var unreachableStores: Set<Int> = []
    /// Copies that failed their check or could not be read.
    package var damagedCopies: Set<DamagedCopy> = []
    /// Snapshots that were passed over because a part of them was missing or damaged in every store.
    package var brokenSnapshots = 0
}

/// One recovery under way.
private struct Recovery: Sendable {
    let stores: BackupStores
    var report = IndexRecoveryReport()

    init(stores: BackupStores) {
        self.stores = stores
    }

    mutating func restore(into index: any RestorableIndex) async throws(IndexBackupError) -> IndexRecoveryReport {
        let catalogue = BackupCatalogue(
            journals: await stores.names(.journal), snapshots: await stores.names(.snapshot))
        report.unreachableStores = catalogue.unreachable
        let epochs = catalogue.segments.map(\.name.epoch) + catalogue.snapshots.map(\.epoch)
        report.highestEpoch = epochs.max() ?? 0
        for snapshot in catalogue.snapshots {
            guard await isWhole(snapshot) else {
                report.brokenSnapshots += 1
                continue
            }
            try await load(snapshot, into: index)
            try await replay(catalogue.segments, after: snapshot, into: index)
            return report
        }
        throw .noSnapshot(
            "\(catalogue.snapshots.count) incomplete or damaged ones, \(catalogue.unreachable.count) stores unreachable"
        )
    }

    /// Reads every part once before the first is loaded, since an index that took half a snapshot is of no use.
    private mutating func isWhole(_ snapshot: BackupCatalogue.Snapshot) async -> Bool {
        var chain = BackupFrame.noDigest
        for (number, part) in snapshot.parts.enumerated() {
            let isLast = number == snapshot.parts.count - 1
            guard let (frame, digest) = await read(part), frame.kind == .snapshot, frame.number == number,
                frame.last == snapshot.version, frame.previous == chain, frame.isFinal == isLast
            else { return false }
            chain = digest
        }
        return !snapshot.parts.isEmpty
    }

    private mutating func load(
        _ snapshot: BackupCatalogue.Snapshot, into index: any RestorableIndex
    ) async throws(IndexBackupError) {
        for part in snapshot.parts {
            guard let entries = await read(part)?.frame.entries() else { throw .lost("\(part.name)") }
            report.entries += entries.count
            do throws(MetadataError) { try await index.load(entries) } catch { throw .index(error) }
        }
        do throws(MetadataError) {
            try await index.finishLoading(at: snapshot.version)
        } catch {
            throw .index(error)
        }
        (report.snapshotVersion, report.snapshotEpoch) = (snapshot.version, snapshot.epoch)
        report.completeThrough = snapshot.version
    }

    /// Follows the chain from the snapshot. Where two segments fit, a restored index went another way after the
    /// earlier writer's: the later writer's holds.
    private mutating func replay(
        _ segments: [BackupCatalogue.Item], after snapshot: BackupCatalogue.Snapshot, into index: any RestorableIndex
    ) async throws(IndexBackupError) {
        var epoch = snapshot.epoch
        var chain: [UInt8]?
        while let (next, link) = await segment(after: report.completeThrough, in: segments, from: epoch, chain: chain) {
            let changes = next.changes.filter { $0.version > report.completeThrough }
            do throws(MetadataError) { try await index.replay(changes) } catch { throw .index(error) }
            report.segments += 1
            report.commits += changes.count
            report.completeThrough = next.last
            (epoch, chain) = (link.epoch, link.digest)
        }
        try await mark(chain, in: index)
        report.journalGoesOnAt =
            segments.first { $0.firstCommit > report.completeThrough && $0.name.epoch >= epoch }?.firstCommit
    }

    /// Lets the index remember the end of the chain, so that its next backup goes on from there.
    private func mark(_ chain: [UInt8]?, in index: any RestorableIndex) async throws(IndexBackupError) {
        guard let chain else { return }
        do throws(MetadataError) {
            try await index.keepChanges(after: JournalMark(version: report.completeThrough, chain: chain))
        } catch {
            throw .index(error)
        }
    }

    private struct Link {
        let epoch: UInt32
        let digest: [UInt8]
    }

    /// The segment that continues after a commit: the one that begins right behind it and names the digest of the one
    /// before, or for the first after a snapshot the one that reaches past the snapshot's commit.
    private mutating func segment(
        after version: CommitVersion, in segments: [BackupCatalogue.Item], from epoch: UInt32, chain: [UInt8]?
    ) async -> (segment: (changes: [Change], last: CommitVersion), link: Link)? {
        let reachable = segments.filter { item in
            item.name.epoch >= epoch
                && (chain == nil ? item.firstCommit <= version + 1 : item.firstCommit == version + 1)
        }
        // Later writers first. Of one writer only the segments that begin last can reach so far: one that too few
        // stores took and one that was written in its place, which has the same commits and perhaps more.
        for (_, items) in Dictionary(grouping: reachable, by: \.name.epoch).sorted(by: { $0.key > $1.key }) {
            let begin = items.map(\.firstCommit).max()
            var best: (segment: (changes: [Change], last: CommitVersion), link: Link)?
            for item in items where item.firstCommit == begin {
                guard let (frame, digest) = await read(item), frame.kind == .journal,
                    frame.last > max(version, best?.segment.last ?? 0),
                    chain == nil || (frame.previous == chain && frame.base == version), let changes = frame.changes()
                else { continue }
                best = ((changes, frame.last), Link(epoch: item.name.epoch, digest: digest))
            }
            if let best { return best }
        }
        return nil
    }

    private mutating func read(
        _ item: BackupCatalogue.Item
    ) async -> (frame: BackupFrame, digest: [UInt8])? {
        await stores.frame(item, damaged: &report.damagedCopies)
    }
}
