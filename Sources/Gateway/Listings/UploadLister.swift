package import Metadata
import Primitives
package import S3Model

/// Lists the uploads in progress of a bucket, by key and then by the time of their start.
package struct UploadLister: Sendable {
    private let reader: VersionReader
    private let bucket: BucketID

    package init(_ reader: VersionReader, bucket: BucketID) {
        (self.reader, self.bucket) = (reader, bucket)
    }

    /// One page: keys after a marker; or, with an upload, uploads of the marker's key after that one too.
    package func page(
        prefix: [UInt8], delimiter: [UInt8], after marker: [UInt8], upload: UploadID?, limit: Int,
        owner: (String) -> Owner
    ) async throws(S3Error) -> UploadListing {
        var listing = UploadListing()
        guard limit > 0 else { return listing }
        let room = Keys.room(bucket, "u")
        let all = Range<KeyBound>.prefix(room + Keys.escapedPrefix(prefix))
        var from = max(all.lowerBound, KeyBound(room + Self.start(prefix, delimiter, marker, upload)))
        var last: (key: [UInt8], upload: String?)?
        var rows = limit + 1
        while from < all.upperBound {
            let page = try await reader.scan(Scan(from..<all.upperBound, limit: rows))
            // What is left of uploads that ended may fill pages: they are passed over in large ones, however little is
            // wanted.
            rows = MetadataLimits.pageRows
            var skipped = from
            for entry in page.entries where KeyBound(entry.key) >= skipped {
                guard let (key, id, record) = try Self.decode(entry, room), record.state == .open else { continue }
                guard listing.count < limit else { return listing.truncated(after: last) }
                if let group = ListingRange.group(of: key.bytes, prefix: prefix, delimiter: delimiter) {
                    listing.commonPrefixes.append(group)
                    last = (group, nil)
                    skipped = KeyBound(successor(ofPrefix: room + Keys.escapedPrefix(group)))
                } else {
                    listing.uploads.append(ListedUpload(key: key, id: id, record: record, owner: owner))
                    last = (key.bytes, id.description)
                }
            }
            guard let next = page.next else { break }
            from = max(KeyBound(next), skipped)
        }
        return listing
    }

    private static func start(
        _ prefix: [UInt8], _ delimiter: [UInt8], _ marker: [UInt8], _ upload: UploadID?
    ) -> [UInt8] {
        guard !marker.isEmpty else { return [] }
        if let group = ListingRange.group(of: marker, prefix: prefix, delimiter: delimiter) {
            return successor(ofPrefix: Keys.escapedPrefix(group))
        }
        guard let upload else { return successor(ofPrefix: Keys.escaped(marker)) }
        return Keys.escaped(marker) + upload.bytes + [0]
    }

    private static func decode(
        _ entry: Entry, _ room: Key
    ) throws(S3Error) -> (ObjectKey, UploadID, UploadRecord)? {
        var rest = entry.key.dropFirst(room.count)
        guard let bytes = Keys.takeEscaped(&rest), let key = ObjectKey(bytes), let id = UploadID(bytes: Array(rest))
        else { throw S3Error.damagedRecord("a key of the index is no upload's") }
        do {
            return (key, id, try UploadRecord(encoded: entry.value))
        } catch {
            throw S3Error.damagedRecord("the record of an upload does not parse")
        }
    }
}

extension ListedUpload {
    fileprivate init(key: ObjectKey, id: UploadID, record: UploadRecord, owner: (String) -> Owner) {
        self.init(
            key: key, upload: id.description, started: record.started, storageClass: record.template.storageClass,
            initiator: owner(record.initiator), checksumAlgorithm: record.checksumAlgorithm,
            isComposite: record.isComposite)
    }
}

extension UploadListing {
    fileprivate var count: Int { uploads.count + commonPrefixes.count }

    fileprivate func truncated(after last: (key: [UInt8], upload: String?)?) -> UploadListing {
        var listing = self
        (listing.nextKey, listing.nextUpload) = (last?.key, last?.upload)
        return listing
    }
}
