package import Metadata
import Primitives
package import S3Model

/// Lists the versions and delete markers of a bucket, key by key, newest first.
///
/// They stand in three rooms: current objects, current delete markers, and noncurrent versions. All three are read in
/// one snapshot and merged by key, so that a page shows the bucket as it was at one moment, unless the index ends its
/// own pages early because records are long.
package struct VersionLister: Sendable {
    private let reader: VersionReader
    private let bucket: BucketID

    package init(_ reader: VersionReader, bucket: BucketID) {
        (self.reader, self.bucket) = (reader, bucket)
    }

    /// Where a page goes on.
    private enum Position {
        /// At this key, or the first one after it.
        case key([UInt8])
        /// At the versions of this key that are older than one of them.
        case within(ObjectKey, before: UInt64)
    }

    /// One page.
    ///
    /// - Parameters:
    ///   - marker: keys after this one; or, with a version, versions of this key after that one.
    package func page(
        prefix: [UInt8], delimiter: [UInt8], after marker: [UInt8], version: VersionID?, limit: Int
    ) async throws(S3Error) -> VersionListing {
        var listing = VersionListing()
        guard limit > 0 else { return listing }
        var next: Position? = try await start(prefix, delimiter, marker, version)
        var last: (key: [UInt8], version: VersionID?)?
        while let position = next {
            // One more than there is room for tells whether the page is the last; and one may be passed over, since it
            // is the version at which the listing goes on, or a newer one.
            var rooms = try await read(prefix, delimiter, from: position, limit - listing.count + 2)
            next = nil
            while let row = try takeFirst(&rooms, position) {
                guard listing.count < limit else { return listing.truncated(after: last) }
                switch row {
                case .group(let group):
                    listing.commonPrefixes.append(group)
                    (last, next) = ((group, nil), .key(successor(ofPrefix: group)))
                case .version(let version, let key, let isLatest):
                    listing.versions.append(Self.listed(version, key, isLatest: isLatest))
                    (last, next) = ((key.bytes, version.id), .within(key, before: version.record.sequence))
                }
            }
            // Every room is exhausted, or there is more of one whose page the index ended.
            if rooms.allSatisfy({ $0.isWhole }) { return listing }
        }
        throw S3Error.hidden(.internalError, "index: a page of versions ended before its second row")
    }

    private func start(
        _ prefix: [UInt8], _ delimiter: [UInt8], _ marker: [UInt8], _ version: VersionID?
    ) async throws(S3Error) -> Position {
        guard !marker.isEmpty else { return .key(prefix) }
        if let group = ListingRange.group(of: marker, prefix: prefix, delimiter: delimiter) {
            return .key(later(successor(ofPrefix: group), prefix))
        }
        guard let version, marker.starts(with: prefix), let key = ObjectKey(marker) else {
            return .key(later(marker + [0], prefix))
        }
        // A null version that is gone stood nobody knows where: the key is shown from its newest version.
        let sequence = try await sequence(of: version, key)
        return sequence.map { .within(key, before: $0) } ?? .key(marker)
    }

    private func later(_ first: [UInt8], _ second: [UInt8]) -> [UInt8] {
        first.lexicographicallyPrecedes(second) ? second : first
    }

    /// Where a version stands, or stood, among those of its key.
    private func sequence(of id: VersionID, _ key: ObjectKey) async throws(S3Error) -> UInt64? {
        switch id {
        case .versioned(let sequence, _): sequence
        case .null: try await reader.version(.null, of: key, in: bucket)?.record.sequence
        }
    }

    // MARK: The three rooms

    /// What was read of a room, and not yet taken.
    private struct Room {
        var rows: ArraySlice<Page.Row>
        /// Whether there is no more of it in the index.
        var isWhole: Bool
        var prefixLength: Int
        var isEscaped: Bool

        /// The key or group that comes next.
        var head: [UInt8]? {
            switch rows.first {
            case .entry(let entry): key(entry)
            case .group(let group) where isEscaped: Keys.unescapedPrefix(group.dropFirst(prefixLength))
            case .group(let group): Array(group.dropFirst(prefixLength))
            case nil: nil
            }
        }

        var isGroup: Bool { if case .group = rows.first { true } else { false } }

        private func key(_ entry: Entry) -> [UInt8] {
            var rest = entry.key.dropFirst(prefixLength)
            return isEscaped ? Keys.takeEscaped(&rest) ?? [] : Array(rest)
        }
    }

    /// A page of each room, all from one snapshot.
    private func read(
        _ prefix: [UInt8], _ delimiter: [UInt8], from position: Position, _ limit: Int
    ) async throws(S3Error) -> [Room] {
        var (rooms, scans): ([Room], [Scan]) = ([], [])
        for letter: Unicode.Scalar in ["l", "x", "v"] {
            let (base, isEscaped) = (Keys.room(bucket, letter), letter == "v")
            func escaped(_ bytes: [UInt8]) -> [UInt8] { isEscaped ? Keys.escapedPrefix(bytes) : bytes }
            let all = Range<KeyBound>.prefix(base + escaped(prefix))
            let lower: Key =
                switch position {
                case .key(let key): base + escaped(key)
                case .within(let key, let sequence) where isEscaped:
                    Keys.version(bucket, key, sequence: sequence) + [0]
                case .within(let key, _): base + key.bytes
                }
            let from = max(all.lowerBound, KeyBound(lower))
            let grouping =
                delimiter.isEmpty
                ? nil
                : Scan.Grouping(
                    prefixLength: base.count + escaped(prefix).count, delimiter: escaped(delimiter),
                    terminator: isEscaped ? Keys.terminator : [])
            scans.append(Scan(from..<max(from, all.upperBound), limit: limit, grouping: grouping))
            rooms.append(Room(rows: [], isWhole: true, prefixLength: base.count, isEscaped: isEscaped))
        }
        for (number, page) in try await reader.pages(scans).enumerated() {
            (rooms[number].rows, rooms[number].isWhole) = (page.rows[...], page.next == nil)
        }
        return rooms
    }

    private enum Row {
        case group([UInt8])
        case version(StoredVersion, ObjectKey, isLatest: Bool)
    }

    /// Takes what comes first of the rooms together; nil where nothing is left, or where a room of which the index has
    /// more might have something that comes before it.
    private func takeFirst(_ rooms: inout [Room], _ position: Position) throws(S3Error) -> Row? {
        while true {
            guard rooms.allSatisfy({ $0.isWhole || !$0.rows.isEmpty }) else { return nil }
            let heads = rooms.map(\.head)
            guard let least = heads.compactMap({ $0 }).min(by: { $0.lexicographicallyPrecedes($1) }) else { return nil }
            // The current version stands in one of the first two rooms, and comes before the others of its key.
            guard let first = heads.firstIndex(of: least) else { return nil }
            if rooms[first].isGroup {
                for number in rooms.indices where heads[number] == least { rooms[number].rows.removeFirst() }
                return .group(least)
            }
            guard case .entry(let entry) = rooms[first].rows.removeFirst(), let version = try reader.stored(entry),
                let key = ObjectKey(least)
            else { throw S3Error.damagedRecord("a key of the index is no version's") }
            if case .within(key, let sequence) = position, version.record.sequence >= sequence { continue }
            return .version(version, key, isLatest: !rooms[first].isEscaped)
        }
    }

    private static func listed(_ version: StoredVersion, _ key: ObjectKey, isLatest: Bool) -> ListedVersion {
        ListedVersion(
            object: ListedObject(key: key, record: version.record), versionID: version.id, isLatest: isLatest,
            isDeleteMarker: version.record.isDeleteMarker)
    }
}

extension VersionListing {
    fileprivate var count: Int { versions.count + commonPrefixes.count }

    fileprivate func truncated(after last: (key: [UInt8], version: VersionID?)?) -> VersionListing {
        var listing = self
        (listing.nextKey, listing.nextVersion) = (last?.key, last?.version)
        return listing
    }
}
