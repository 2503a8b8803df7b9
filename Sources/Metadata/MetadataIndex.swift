/// What can be read of an index.
package protocol ReadableIndex: Sendable {
    /// The entries of these keys, in their order, nil where there is none; all from one snapshot.
    func values(of keys: [Key]) async throws(MetadataError) -> [Entry?]

    /// A page of each scan, all from one snapshot.
    func pages(of scans: [Scan]) async throws(MetadataError) -> [Page]
}

/// An ordered map of byte strings with conditional commits and snapshot reads.
///
/// Every guarantee that S3 gives is one commit here. Conformers keep the laws of `TidegateTesting.MetadataIndexLaws`.
package protocol MetadataIndex: ReadableIndex {
    /// Applies every mutation if every condition holds, and otherwise none.
    ///
    /// It is durable when it returns. Concurrent commits may share one sync; in such a group, later members see what
    /// earlier ones did, and each fails by itself.
    /// - Throws: `conflict` where a condition does not hold; `notCommitted` where nothing was applied for another
    ///   reason; `unknown` where it may have been applied (`outcome(of:)` resolves it), and where a transaction of
    ///   this id was applied before.
    func commit(_ transaction: Transaction) async throws(MetadataError) -> CommitVersion

    /// Whether a transaction whose commit threw `unknown` was applied: the version of its commit, or nil where it was
    /// not.
    ///
    /// - Throws: `unknown` where the transaction is as old as those whose ids were forgotten
    ///   (`MetadataLimits.commitsKept`).
    func outcome(of transaction: TransactionID) async throws(MetadataError) -> CommitVersion?

    /// Up to `limit` changes of commits after a cursor, in commit order; fewer where they are large.
    ///
    /// - Throws: `notCommitted` where changes after the cursor were forgotten already (`MetadataLimits.commitsKept`).
    func changes(after: CommitVersion, limit: Int) async throws(MetadataError) -> [Change]
}

extension ReadableIndex {
    /// One page of a scan, from one snapshot.
    package func scan(_ scan: Scan) async throws(MetadataError) -> Page { try await pages(of: [scan])[0] }
}

/// A key of the index. Keys are ordered as byte strings; they are at most 4,096 bytes long.
package typealias Key = [UInt8]

/// The number of a commit: greater than that of every commit before it.
package typealias CommitVersion = UInt64

/// A name drawn by the writer (writer epoch and counter), by which an unknown outcome is resolved.
package struct TransactionID: Hashable, Sendable {
    package var epoch: UInt32
    package var counter: UInt64

    package init(epoch: UInt32, counter: UInt64) {
        (self.epoch, self.counter) = (epoch, counter)
    }
}

/// A value as it was last written.
package struct Entry: Hashable, Sendable {
    package var key: Key
    package var value: [UInt8]
    /// The commit that wrote it last.
    package var version: CommitVersion

    package init(key: Key, value: [UInt8], version: CommitVersion) {
        (self.key, self.value, self.version) = (key, value, version)
    }
}

/// Why the index did not do what it was asked.
package enum MetadataError: Error, Equatable, CustomStringConvertible {
    /// A condition of the transaction does not hold: the one with this position in its list.
    case conflict(condition: Int)
    /// Nothing was applied: the index is unavailable, or the transaction is malformed. The message is for the log.
    case notCommitted(String)
    /// The commit may or may not have been applied. A blob that it refers to must not be deleted.
    case unknown(String)

    package var description: String {
        switch self {
        case .conflict(let position): "condition \(position) does not hold"
        case .notCommitted(let detail): "not committed: \(detail)"
        case .unknown(let detail): "the outcome of the commit is unknown: \(detail)"
        }
    }
}
