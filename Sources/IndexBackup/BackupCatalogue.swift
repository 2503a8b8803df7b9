import Metadata
import Primitives
import Storage

/// What the stores list of the backup, before anything is read.
struct BackupCatalogue: Sendable {
    /// A store that lists a blob, and how long its copy is: a damaged one may be shorter than the others.
    struct Holder: Sendable, Hashable {
        let store: Int
        let length: Int64
    }

    /// A blob, with the stores that list it.
    struct Item: Sendable, Hashable {
        let name: BlobName
        var holders: [Holder]

        /// The length of the longest copy.
        var length: Int64 { holders.map(\.length).max() ?? 0 }

        /// Of a segment: the first commit that it may hold.
        var firstCommit: CommitVersion { name.counter }
    }

    /// Parts that belong together: of one snapshot, taken by one writer in one attempt.
    struct Snapshot: Sendable, Hashable {
        let epoch: UInt32
        let version: CommitVersion
        let attempt: UInt32
        /// In the order of their numbers.
        var parts: [Item]
    }

    /// Segments by first commit, later writers first.
    let segments: [Item]
    /// Snapshots, newest first: a later writer's before an earlier one's, whatever their commits.
    let snapshots: [Snapshot]
    /// Stores that did not answer.
    let unreachable: Set<Int>

    init(journals: [[BlobSummary]?], snapshots lists: [[BlobSummary]?]) {
        unreachable = Set(zip(journals, lists).enumerated().filter { $1.0 == nil || $1.1 == nil }.map(\.offset))
        segments = Self.items(journals).sorted {
            ($0.firstCommit, $1.name.epoch, $0.name.random) < ($1.firstCommit, $0.name.epoch, $1.name.random)
        }
        var found: [[UInt64]: Snapshot] = [:]
        for item in Self.items(lists).sorted(by: { $0.name < $1.name }) {
            let attempt = item.name.random >> 16
            let identity = [UInt64(item.name.epoch), item.name.counter, UInt64(attempt)]
            found[
                identity,
                default: Snapshot(epoch: item.name.epoch, version: item.name.counter, attempt: attempt, parts: [])
            ].parts.append(item)
        }
        snapshots = found.values.sorted { ($0.epoch, $0.version, $0.attempt) > ($1.epoch, $1.version, $1.attempt) }
    }

    private static func items(_ lists: [[BlobSummary]?]) -> [Item] {
        var items: [BlobName: Item] = [:]
        for (store, list) in lists.enumerated() {
            for summary in list ?? [] {
                items[summary.name, default: Item(name: summary.name, holders: [])]
                    .holders.append(Holder(store: store, length: summary.length))
            }
        }
        return Array(items.values)
    }
}
