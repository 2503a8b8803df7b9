package import Metadata
import Primitives

/// What is known of the history of an index that was brought back, and where that knowledge ends.
package struct JournalKnowledge: Sendable {
    /// The last commit that came back.
    package var through: CommitVersion
    /// The commit after which `segments` has every commit up to `through`.
    package var floor: CommitVersion
    package var segments: JournalledSegments
    package var writers: LostWriters

    package init(
        through: CommitVersion, floor: CommitVersion, segments: JournalledSegments, writers: LostWriters
    ) {
        (self.through, self.floor, self.segments, self.writers) = (through, floor, segments, writers)
    }
}

/// The epochs whose writers may have made commits that are lost: those that were live at the last commit that came
/// back, and those that the index had not drawn by then. No other epoch could commit after it, so that what the index
/// does not name of their blobs never became an object, or one that is deleted.
package struct LostWriters: Sendable, Hashable {
    private let live: Set<UInt32>
    private let unknown: UInt64

    /// - Parameters:
    ///   - live: the epochs that the index takes for live.
    ///   - unknown: the first epoch that it has not drawn.
    package init(live: [UInt32], unknown: UInt64) {
        (self.live, self.unknown) = (Set(live), unknown)
    }

    func contains(_ epoch: UInt32) -> Bool { live.contains(epoch) || UInt64(epoch) >= unknown }

    /// The first of them.
    var first: UInt32? { live.min() ?? UInt32(exactly: unknown) }
}
