/// An index that can be copied whole while commits go on.
///
/// The index's backup reads through this; `RestorableIndex` is the other direction.
package protocol SnapshottingIndex: MetadataIndex {
    /// Every entry as of one commit. The caller closes it.
    func snapshot() async throws(MetadataError) -> any IndexSnapshot

    /// The commits that there were and of which `changes` still knows.
    func kept() async throws(MetadataError) -> KeptChanges

    /// Keeps every change after a commit until it is told of a later one, within a bound that the index states.
    func keepChanges(after version: CommitVersion) async throws(MetadataError)
}

/// The reach of `changes`.
package struct KeptChanges: Sendable, Hashable {
    /// The least cursor that `changes(after:)` takes.
    package var oldestCursor: CommitVersion
    /// The last commit.
    package var last: CommitVersion

    package init(oldestCursor: CommitVersion, last: CommitVersion) {
        (self.oldestCursor, self.last) = (oldestCursor, last)
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
