package import Metadata
package import Primitives
package import S3Model

/// What the footer of a blob says it holds, so that an object can be found again without the index.
package struct RecoveryRecord: Sendable, Hashable {
    package var bucketName: String
    package var bucket: BucketID
    package var key: ObjectKey
    /// The version, without its segments.
    package var version: VersionRecord
    /// Of a part: the upload and the part's number.
    package var upload: UploadID?
    package var partNumber: Int
    /// On which conditions the object was to be written.
    package var preconditions = Preconditions()
    /// When the body had ended; nil in a record that a release before this field wrote.
    package var moment: Moment?
    /// Of an object that is longer than a blob may be: the blobs before this one, in the order of the bytes.
    package var earlier: [BlobName] = []

    /// A place in the history of the index, and a time.
    package struct Moment: Sendable, Hashable {
        /// A commit that had been made by then, so that the one which made the object is a later one.
        package var after: CommitVersion
        package var time: Timestamp

        package init(after: CommitVersion, time: Timestamp) {
            (self.after, self.time) = (after, time)
        }
    }

    package init(
        bucketName: String, bucket: BucketID, key: ObjectKey, version: VersionRecord, upload: UploadID? = nil,
        partNumber: Int = 0
    ) {
        (self.bucketName, self.bucket, self.key) = (bucketName, bucket, key)
        (self.version, self.upload, self.partNumber) = (version, upload, partNumber)
    }

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.text(1, bucketName)
        writer.number(2, bucket.value)
        writer.bytes(3, key.bytes)
        writer.bytes(4, version.encoded)
        if let upload { writer.bytes(5, upload.bytes) }
        writer.number(6, UInt64(partNumber))
        if let moment {
            writer.number(7, moment.after)
            writer.number(8, moment.time.nanoseconds)
        }
        for blob in earlier { writer.bytes(9, blob.bytes) }
        for tag in preconditions.ifMatch ?? [] { writer.text(10, tag) }
        for tag in preconditions.ifNoneMatch ?? [] { writer.text(11, tag) }
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        var reader = RecordReader(encoded)
        var found: ObjectKey?
        var written = Moment(after: 0, time: Timestamp(nanoseconds: 0))
        var (matches, others): ([String], [String]) = ([], [])
        (bucketName, bucket, version, upload, partNumber) = ("", BucketID(0), VersionRecord(), nil, 0)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: bucketName = value.text
            case 2: bucket = BucketID(value.number)
            case 3: found = ObjectKey(value.bytes)
            case 4: version = try VersionRecord(encoded: value.bytes)
            case 5:
                // Without it a part would be taken for an object.
                guard let id = UploadID(bytes: value.bytes) else { throw .malformed }
                upload = id
            case 6: partNumber = try value.exactly()
            case 7: written.after = value.number
            case 8: written.time = Timestamp(nanoseconds: value.signed)
            case 9:
                guard let blob = BlobName(bytes: value.bytes) else { throw .malformed }
                earlier.append(blob)
            case 10: matches.append(value.text)
            case 11: others.append(value.text)
            default: break
            }
        }
        guard let found else { throw .malformed }
        key = found
        // A field that holds zero is one that was left out, here as everywhere.
        if written.time.nanoseconds != 0 { moment = written }
        if !matches.isEmpty { preconditions.ifMatch = matches }
        if !others.isEmpty { preconditions.ifNoneMatch = others }
    }
}

/// What a reference row says of who refers: the bucket and the key, for whoever moves the blob.
package enum ReferenceOwner {
    package static func encoded(_ bucket: BucketID, _ key: ObjectKey) -> [UInt8] {
        Keys.bigEndian(bucket.value) + key.bytes
    }
}
