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
        var skipping = resumes ? version : nil
        var last: (key: [UInt8], version: VersionID?)?
        while let key = try await firstKey(from: cursor, prefix: prefix) {
            if let group = ListingRange.group(of: key.bytes, prefix: prefix, delimiter: delimiter) {
                guard listing.count < limit else { return listing.truncated(after: last) }
                listing.commonPrefixes.append(group)
                last = (group, nil)
                cursor = successor(ofPrefix: group)
                skipping = nil
                continue
            }
            for version in try await versions(of: key, after: key.bytes == marker ? skipping : nil) {
                guard listing.count < limit else { return listing.truncated(after: last) }
                listing.versions.append(version)
                last = (key.bytes, version.versionID)
            }
            skipping = nil
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

    /// Every version of a key, newest first, after one of them where that is asked for.
    private func versions(of key: ObjectKey, after marker: VersionID?) async throws(S3Error) -> [ListedVersion] {
        var found: [StoredVersion] = []
        if let current = try await reader.current(key, in: bucket) { found.append(current) }
        var range = Range<KeyBound>.prefix(Keys.versions(bucket, key))
        repeat {
            let page = try await reader.scan(Scan(range, limit: ServiceLimits.pageSize))
            for entry in page.entries {
                if let version = try reader.stored(entry) { found.append(version) }
            }
            guard let next = page.next, found.count <= 2 * ServiceLimits.pageSize || marker != nil else { break }
            range = KeyBound(next)..<range.upperBound
        } while true
        var listed = found.enumerated().map { position, version in
            ListedVersion(
                object: ListedObject(key: key, record: version.record), versionID: version.id,
                isLatest: position == 0, isDeleteMarker: version.record.isDeleteMarker)
        }
        if let marker, let position = listed.firstIndex(where: { $0.versionID == marker }) {
            listed.removeFirst(position + 1)
        }
        return listed
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
