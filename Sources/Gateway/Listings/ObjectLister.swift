package import Metadata
package import Primitives
package import S3Model

/// Lists the current objects of a bucket.
package struct ObjectLister: Sendable {
    private let versions: VersionReader

    package init(_ versions: VersionReader) {
        self.versions = versions
    }

    /// One page: keys with a prefix, after a marker, rolled up at a delimiter.
    package func page(
        of bucket: BucketID, prefix: [UInt8], delimiter: [UInt8], after marker: [UInt8], limit: Int
    ) async throws(S3Error) -> ObjectListing {
        var listing = ObjectListing()
        guard limit > 0 else { return listing }
        let room = Keys.room(bucket, "l")
        let range = ListingRange.keys(room: room, prefix: prefix, delimiter: delimiter, after: marker)
        guard !range.isEmpty else { return listing }
        let grouping =
            delimiter.isEmpty
            ? nil : Scan.Grouping(prefixLength: room.count + prefix.count, delimiter: delimiter)
        var page = try await versions.scan(Scan(range, limit: limit, grouping: grouping))
        #if PLANTED_BUGS
            if PlantedBug.staleListing.isPlanted { page = StaleListing.page(range, instead: page) }
        #endif
        for row in page.rows {
            switch row {
            case .group(let key): listing.commonPrefixes.append(Array(key.dropFirst(room.count)))
            case .entry(let entry): listing.objects.append(try object(entry))
            }
        }
        // The index alone tells whether there is more: it ends a page of long records before the limit.
        if page.next != nil { listing.next = page.rows.last?.key.map { Array($0.dropFirst(room.count)) } }
        return listing
    }

    private func object(_ entry: Entry) throws(S3Error) -> ListedObject {
        guard let key = ObjectKey(Array(entry.key[Keys.roomLength...])) else {
            throw S3Error.damagedRecord("a key of the index is no object's")
        }
        do throws(RecordError) {
            return ListedObject(key: key, record: try VersionRecord(entry, isSummary: true))
        } catch {
            throw S3Error.damagedRecord("the record of a version does not parse")
        }
    }
}

extension Page.Row {
    /// The key of an entry or the prefix of a group.
    package var key: Key? {
        switch self {
        case .entry(let entry): entry.key
        case .group(let key): key
        }
    }
}

extension ListedObject {
    package init(key: ObjectKey, record: VersionRecord) {
        self.init(
            key: key, modified: record.modified, etag: record.etag, size: record.size,
            storageClass: record.storageClass, checksumAlgorithm: record.checksum?.algorithm,
            checksumIsComposite: record.checksum?.isComposite ?? false)
    }
}

/// The keys that a page of a listing can have.
package enum ListingRange {
    /// The range of a room of plain keys.
    ///
    /// A marker that is a rolled-up prefix, or a key within one, stands for all that is rolled up with it: the page
    /// goes on after them, since a prefix is listed only where it sorts after the marker.
    package static func keys(
        room: Key, prefix: [UInt8], delimiter: [UInt8], after marker: [UInt8]
    ) -> Range<KeyBound> {
        let all = Range<KeyBound>.prefix(room + prefix)
        guard !marker.isEmpty else { return all }
        let start =
            group(of: marker, prefix: prefix, delimiter: delimiter).map { successor(ofPrefix: room + $0) }
            ?? room + marker + [0]
        let lower = max(all.lowerBound, KeyBound(start))
        return lower..<max(lower, all.upperBound)
    }

    /// What a key with this prefix is rolled up to; nil where it stands for itself.
    package static func group(of key: [UInt8], prefix: [UInt8], delimiter: [UInt8]) -> [UInt8]? {
        guard !delimiter.isEmpty, key.starts(with: prefix),
            let end = endOfGroup(key, prefixLength: prefix.count, delimiter: delimiter)
        else { return nil }
        return Array(key[..<end])
    }

    /// Where the first delimiter after the prefix ends.
    package static func endOfGroup(_ key: [UInt8], prefixLength: Int, delimiter: [UInt8]) -> Int? {
        guard key.count >= prefixLength + delimiter.count else { return nil }
        for start in prefixLength...(key.count - delimiter.count)
        where key[start..<(start + delimiter.count)].elementsEqual(delimiter) {
            return start + delimiter.count
        }
        return nil
    }
}
