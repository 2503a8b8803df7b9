package import Primitives

/// A bucket, under `Keys.bucket`. It changes seldom, since every write to the bucket is conditional on it.
package struct BucketRecord: Sendable, Hashable {
    package enum Versioning: UInt64, Sendable {
        case unversioned = 0
        case enabled = 1
        case suspended = 2
    }

    package var id: BucketID
    /// The account that owns it.
    package var account: String
    package var created: Timestamp
    package var versioning: Versioning

    package init(id: BucketID, account: String, created: Timestamp, versioning: Versioning = .unversioned) {
        (self.id, self.account, self.created, self.versioning) = (id, account, created, versioning)
    }

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.number(1, id.value)
        writer.text(2, account)
        writer.number(3, created.nanoseconds)
        writer.number(4, versioning.rawValue)
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        var reader = RecordReader(encoded)
        self.init(id: BucketID(0), account: "", created: Timestamp(nanoseconds: 0))
        while let (field, value) = try reader.next() {
            switch field {
            case 1: id = BucketID(value.number)
            case 2: account = value.text
            case 3: created = Timestamp(nanoseconds: value.signed)
            case 4:
                // A state that this release does not know must not be taken for "unversioned": that would overwrite
                // versions.
                guard let state = Versioning(rawValue: value.number) else { throw RecordError.malformed }
                versioning = state
            default: break
            }
        }
    }
}
