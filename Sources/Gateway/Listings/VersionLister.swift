package import Metadata
import Primitives
package import S3Model

/// Lists the versions and delete markers of a bucket, key by key, newest first.
///
/// They stand in three rooms: current objects, current delete markers, and noncurrent versions. Each is read in pages,
/// and the three are merged by key.
package struct VersionLister: Sendable {
    private let reader: VersionReader
    private let bucket: BucketID

    package init(_ reader: VersionReader, bucket: BucketID) {
        (self.reader, self.bucket) = (reader, bucket)
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
        let resumes =
            !marker.isEmpty && version != nil && marker.starts(with: prefix)
            && ListingRange.group(of: marker, prefix: prefix, delimiter: delimiter) == nil
        var cursor = resumes ? marker : Self.start(prefix, delimiter, marker)
        var last: (key: [UInt8], version: VersionID?)?
        while let key = try await firstKey(from: cursor, prefix: prefix) {
            if let group = ListingRange.group(of: key.bytes, prefix: prefix, delimiter: delimiter) {
                guard listing.count < limit else { return listing.truncated(after: last) }
                listing.commonPrefixes.append(group)
                last = (group, nil)
                cursor = successor(ofPrefix: group)
                continue
            }
            // One more than there is room for tells whether the page is the last.
            let room = limit - listing.count
            let found = try await versions(of: key, after: resumes && key.bytes == marker ? version : nil, room + 1)
            for version in found.prefix(room) {
                listing.versions.append(version)
                last = (key.bytes, version.versionID)
            }
            if found.count > room { return listing.truncated(after: last) }
            cursor = key.bytes + [0]
        }
        return listing
    }

    private static func start(_ prefix: [UInt8], _ delimiter: [UInt8], _ marker: [UInt8]) -> [UInt8] {
        guard !marker.isEmpty else { return prefix }
        let next =
            ListingRange.group(of: marker, prefix: prefix, delimiter: delimiter).map { successor(ofPrefix: $0) }
            ?? marker + [0]
        return next.lexicographicallyPrecedes(prefix) ? prefix : next
    }

    /// The least key, from `start` on, that has the prefix and any version.
    private func firstKey(from start: [UInt8], prefix: [UInt8]) async throws(S3Error) -> ObjectKey? {
        var least: [UInt8]?
        for room: Unicode.Scalar in ["l", "x", "v"] {
            let isEscaped = room == "v"
            let base = Keys.room(bucket, room)
            let lower = base + (isEscaped ? Keys.escapedPrefix(start) : start)
            let all = Range<KeyBound>.prefix(base + (isEscaped ? Keys.escapedPrefix(prefix) : prefix))
            let from = max(all.lowerBound, KeyBound(lower))
            guard from < all.upperBound else { continue }
            let page = try await reader.scan(Scan(from..<all.upperBound, limit: 1, wantsValues: false))
            guard let found = page.entries.first else { continue }
            var rest = found.key.dropFirst(base.count)
            let key = isEscaped ? Keys.takeEscaped(&rest) ?? [] : Array(rest)
            if least.map({ key.lexicographicallyPrecedes($0) }) ?? true { least = key }
        }
        return least.flatMap { ObjectKey($0) }
    }

    /// Versions of a key, newest first, after one of them where that is asked for: at most so many.
    private func versions(
        of key: ObjectKey, after marker: VersionID?, _ limit: Int
    ) async throws(S3Error) -> [ListedVersion] {
        let room = Range<KeyBound>.prefix(Keys.versions(bucket, key))
        let sequence = try await sequence(of: marker, key)
        let after = sequence.map { KeyBound(Keys.version(bucket, key, sequence: $0) + [0]) }
        // One snapshot: a version that moves between the rooms is seen in one of them.
        let pages = try await reader.pages([
            Scan(.only(Keys.live(bucket, key)), limit: 1), Scan(.only(Keys.currentMarker(bucket, key)), limit: 1),
            Scan((after ?? room.lowerBound)..<room.upperBound, limit: limit),
        ])
        var listed: [ListedVersion] = []
        if let current = try reader.stored(pages[0].entries.first ?? pages[1].entries.first),
            sequence.map({ current.record.sequence < $0 }) ?? true
        {
            listed.append(Self.listed(current, key, isLatest: true))
        }
        var page = pages[2]
        while true {
            for entry in page.entries {
                if let version = try reader.stored(entry) { listed.append(Self.listed(version, key, isLatest: false)) }
            }
            guard let next = page.next, listed.count < limit else { return listed }
            // The index ends a page of long records before the limit.
            page = try await reader.scan(Scan(KeyBound(next)..<room.upperBound, limit: limit - listed.count))
        }
    }

    /// Where a version stands, or stood, among those of its key; nil for a null version that is gone.
    private func sequence(of id: VersionID?, _ key: ObjectKey) async throws(S3Error) -> UInt64? {
        switch id {
        case nil: nil
        case .versioned(let sequence, _): sequence
        case .null: try await reader.version(.null, of: key, in: bucket)?.record.sequence
        }
    }

    private static func listed(_ version: StoredVersion, _ key: ObjectKey, isLatest: Bool) -> ListedVersion {
        ListedVersion(
            object: ListedObject(key: key, record: version.record), versionID: version.id, isLatest: isLatest,
            isDeleteMarker: version.record.isDeleteMarker)
    }
}

extension Range where Bound == KeyBound {
    /// One key.
    fileprivate static func only(_ key: Key) -> Range<KeyBound> { KeyBound(key)..<KeyBound(key + [0]) }
}

extension VersionListing {
    fileprivate var count: Int { versions.count + commonPrefixes.count }

    fileprivate func truncated(after last: (key: [UInt8], version: VersionID?)?) -> VersionListing {
        var listing = self
        (listing.nextKey, listing.nextVersion) = (last?.key, last?.version)
        return listing
    }
}
