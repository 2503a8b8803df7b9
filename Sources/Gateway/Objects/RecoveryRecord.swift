package import Metadata
package import Primitives

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
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        var reader = RecordReader(encoded)
        var found: ObjectKey?
        (bucketName, bucket, version, upload, partNumber) = ("", BucketID(0), VersionRecord(), nil, 0)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: bucketName = value.text
            case 2: bucket = BucketID(value.number)
            case 3: found = ObjectKey(value.bytes)
            case 4: version = try VersionRecord(encoded: value.bytes)
            case 5: upload = UploadID(bytes: value.bytes)
            case 6: partNumber = Int(truncatingIfNeeded: value.number)
            default: break
            }
        }
        guard let found else { throw .malformed }
        key = found
    }
}

/// What a reference row says of who refers: the bucket and the key, for whoever moves the blob.
package enum ReferenceOwner {
    package static func encoded(_ bucket: BucketID, _ key: ObjectKey) -> [UInt8] {
        Keys.bigEndian(bucket.value) + key.bytes
    }
}
