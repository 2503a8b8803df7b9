import Metadata
import Primitives

/// Deletes what two newer snapshots make needless: older snapshots, and the journal up to the older of the two.
struct BackupPruner: Sendable {
    let stores: BackupStores
    let epoch: UInt32

    /// Returns how many blobs were deleted. It deletes nothing where a store lists a later writer's snapshot: then
    /// this process is not the one that keeps the backup.
    func prune() async -> Int {
        let catalogue = BackupCatalogue(
            journals: await stores.names(.journal), snapshots: await stores.names(.snapshot))
        var damaged: Set<DamagedCopy> = []
        var whole: [BackupCatalogue.Snapshot] = []
        for snapshot in catalogue.snapshots where whole.count < 2 {
            if await isWhole(snapshot, &damaged) { whole.append(snapshot) }
        }
        guard whole.count == 2, let oldest = whole.last, catalogue.snapshots.allSatisfy({ $0.epoch <= epoch }) else {
            return 0
        }
        var deleted = 0
        for snapshot in catalogue.snapshots
        where (snapshot.epoch, snapshot.version) < (oldest.epoch, oldest.version) {
            for part in snapshot.parts where await stores.delete(part) { deleted += 1 }
        }
        for segment in needless(catalogue.segments, before: oldest.version + 1) {
            if await stores.delete(segment) { deleted += 1 }
        }
        return deleted
    }

    /// The segments of which no commit from `first` on is needed.
    ///
    /// A segment ends before the next one of its writer begins, and what a later writer has journalled holds instead
    /// of an earlier one's.
    private func needless(
        _ segments: [BackupCatalogue.Item], before first: CommitVersion
    ) -> [BackupCatalogue.Item] {
        var needless: [BackupCatalogue.Item] = []
        var isSuperseded = false
        for (_, items) in Dictionary(grouping: segments, by: \.name.epoch).sorted(by: { $0.key > $1.key }) {
            let begins = items.map(\.firstCommit).filter { $0 <= first }
            needless += items.filter { item in isSuperseded || begins.contains { $0 > item.firstCommit } }
            isSuperseded = isSuperseded || !begins.isEmpty
        }
        return needless
    }

    /// Whether enough stores list every part, the last of which says that it is the last.
    private func isWhole(_ snapshot: BackupCatalogue.Snapshot, _ damaged: inout Set<DamagedCopy>) async -> Bool {
        guard let last = snapshot.parts.last, Int(last.name.random & 0xFFFF) == snapshot.parts.count - 1,
            snapshot.parts.allSatisfy({ $0.holders.count >= min(stores.copies, stores.count) }),
            let read = await stores.frame(last, damaged: &damaged)
        else { return false }
        return read.frame.isFinal
    }
}
