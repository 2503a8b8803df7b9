/// An index that can be copied whole while commits go on.
///
/// The index's backup reads through this; `RestorableIndex` is the other direction.
package protocol SnapshottingIndex: MetadataIndex {
    /// Every entry as of one commit. The caller closes it.
    func snapshot() async throws(MetadataError) -> any IndexSnapshot

    /// The commits that there were and of which `changes` still knows.
    func kept() async throws(MetadataError) -> KeptChanges

    /// Keeps every change after the mark's commit until it is told of a later mark, within a bound that the index
    /// states, and keeps the mark itself: the next process reads it in `kept`.
    func keepChanges(after mark: JournalMark) async throws(MetadataError)
}

/// The reach of `changes`.
package struct KeptChanges: Sendable, Hashable {
    /// The least cursor that `changes(after:)` takes.
    package var oldestCursor: CommitVersion
    /// The last commit.
    package var last: CommitVersion
    /// The last mark that was set; nil in a new index and in a restored one.
    package var mark: JournalMark?

    package init(oldestCursor: CommitVersion, last: CommitVersion, mark: JournalMark?) {
        (self.oldestCursor, self.last, self.mark) = (oldestCursor, last, mark)
    }
}

/// How far the changes of an index were copied elsewhere.
package struct JournalMark: Sendable, Hashable {
    /// The last commit that was copied.
    package var version: CommitVersion
    /// What the copier wants to find again: the end of its chain of digests. At most 64 bytes.
    package var chain: [UInt8]

    package init(version: CommitVersion, chain: [UInt8]) {
        (self.version, self.chain) = (version, chain)
    }
}

/// A consistent copy of an index, read bit by bit.
package protocol IndexSnapshot: Sendable {
    /// The last commit that it contains.
    var version: CommitVersion { get }

    /// The next entries in the order of their keys, never empty, or nil after the last; each batch of bounded size.
    func next() async throws(MetadataError) -> [Entry]?

    /// Lets go of what the snapshot holds.
    func close() async
}

/// An index that takes a copy: entries and changes arrive with the versions that they had.
package protocol RestorableIndex: SnapshottingIndex {
    /// Takes entries of a snapshot, in any order, into an index that has had no commit.
    func load(_ entries: [Entry]) async throws(MetadataError)

    /// Says that every entry of a snapshot was loaded: its last commit becomes the last of this index.
    func finishLoading(at version: CommitVersion) async throws(MetadataError)

    /// Applies changes again, each of a later commit than the last one of the index.
    func replay(_ changes: [Change]) async throws(MetadataError)
}
