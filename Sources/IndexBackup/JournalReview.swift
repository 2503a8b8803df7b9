package import Metadata
import Primitives
package import Storage

extension IndexRecovery {
    /// Shows the latest changes that the journal has up to a commit, whichever snapshot a recovery began with. They
    /// come segment by segment, some twice where a segment was written again.
    ///
    /// - Parameters:
    ///   - last: Later changes are left out.
    ///   - limit: How many commits back it goes, at least.
    /// - Returns: The commit after which every change was shown; 0 where the journal does not say that there were any
    ///   before those shown.
    package static func reviewJournal(
        of stores: [any BlobStore], through last: CommitVersion, limit: UInt64, patience: StorePatience,
        _ show: (Change) -> Void
    ) async throws(IndexBackupError) -> CommitVersion {
        let stores = BackupStores(stores, copies: 1, patience)
        let catalogue = BackupCatalogue(
            journals: await stores.names(.journal), snapshots: await stores.names(.snapshot))
        let first = last > limit ? last - limit : 0
        var (floor, isWhole, isFirst) = (first, true, true)
        for item in recent(catalogue.segments, after: first) where item.firstCommit <= last {
            var damaged: Set<DamagedCopy> = []
            let read = await stores.frame(item, damaged: &damaged)
            guard let frame = read?.frame, frame.kind == .journal, let changes = frame.changes() else {
                isWhole = false
                continue
            }
            // A writer's first chain begins with its process, and with its first snapshot. Where it began another one,
            // or where the chain goes back farther than the segments that are left, there were changes that nothing
            // shows any more.
            let beginsChain = frame.previous == BackupFrame.noDigest
            let isLater = catalogue.snapshots.contains { $0.epoch == item.name.epoch && $0.version < frame.base }
            let beginsWithWriter = beginsChain && !isLater
            if isFirst, beginsWithWriter, frame.base >= first { floor = 0 }
            if !isWhole || (!beginsWithWriter && (isFirst || beginsChain)) { floor = max(floor, frame.base) }
            (isWhole, isFirst) = (true, false)
            for change in changes where change.version <= last { show(change) }
        }
        return isWhole ? floor : last
    }

    /// The segments that may hold commits after one, earlier ones first: each writer's segments end before its next
    /// one begins.
    private static func recent(
        _ segments: [BackupCatalogue.Item], after first: CommitVersion
    ) -> [BackupCatalogue.Item] {
        var begins: [UInt32: CommitVersion] = [:]
        for segment in segments where segment.firstCommit <= first + 1 {
            begins[segment.name.epoch] = max(begins[segment.name.epoch] ?? 0, segment.firstCommit)
        }
        return segments.filter { $0.firstCommit >= begins[$0.name.epoch] ?? 0 }
    }
}
