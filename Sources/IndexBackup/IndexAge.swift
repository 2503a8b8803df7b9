package import Metadata
import Primitives
package import Storage

/// Tells an old copy of an index by what the stores hold of the index that it was copied from.
///
/// To serve from an old copy would lose what was committed since for good: commits would be numbered anew, and the
/// collector would take the blobs that the copy does not name for orphans.
package enum IndexAge {
    /// Something in the stores that the index does not know of.
    package struct Newer: Sendable, Hashable {
        /// The writer that committed it.
        package let epoch: UInt32
        /// A commit after the index's last, or the first one of a later writer.
        package let commit: CommitVersion
    }

    /// The newest that the stores that answer hold beyond an index; nil where the index has it all.
    ///
    /// What writers before the index's last one committed is left out: a recovered index can lack some of it, and has
    /// drawn an epoch above them.
    ///
    /// - Parameters:
    ///   - last: the index's last commit.
    ///   - nextEpoch: the writer epoch that it would draw next.
    package static func newer(
        than last: CommitVersion, nextEpoch: UInt64, in stores: [any BlobStore], patience: StorePatience
    ) async -> Newer? {
        let stores = BackupStores(stores, copies: 1, patience)
        let catalogue = BackupCatalogue(
            journals: await stores.names(.journal), snapshots: await stores.names(.snapshot))
        let listed =
            catalogue.segments.map { Newer(epoch: $0.name.epoch, commit: $0.firstCommit) }
            + catalogue.snapshots.map { Newer(epoch: $0.epoch, commit: $0.version) }
        let ahead = listed.filter { found in
            UInt64(found.epoch) >= nextEpoch || UInt64(found.epoch) + 1 == nextEpoch && found.commit > last
        }
        if let newest = ahead.max(by: { ($0.epoch, $0.commit) < ($1.epoch, $1.commit) }) { return newest }
        // The last segment may begin with a commit that the index has and end with one that it has not.
        let own = catalogue.segments.filter { UInt64($0.name.epoch) + 1 == nextEpoch }
        guard let segment = own.max(by: { $0.firstCommit < $1.firstCommit }) else { return nil }
        var damaged: Set<DamagedCopy> = []
        let read = await stores.frame(segment, damaged: &damaged)
        guard let frame = read?.frame, frame.last > last else { return nil }
        return Newer(epoch: segment.name.epoch, commit: frame.last)
    }
}
