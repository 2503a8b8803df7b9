package import Primitives

/// A bucket of another service whose objects are shown in a bucket of ours, under `Keys.source`.
package struct SourceRecord: Sendable, Hashable {
    package enum Standing: UInt64, Sendable {
        /// Its objects are being listed.
        case listing = 0
        /// Every object that it had is shown.
        case shown = 1
        /// What is shown is moved into the pool.
        case moving = 2
        /// Nothing is served from there any more; the number stays taken, since old records may have it.
        case detached = 3
    }

    /// How the other service is reached; its bucket and prefix are what is adopted.
    package var backend: BackendRecord
    /// The bucket of ours.
    package var bucket: String
    package var standing = Standing.listing
    package var adopted: Timestamp
    /// Objects that are shown, and their bytes; objects that are not, since the bucket had such a key already or the
    /// object was gone again, or since S3 has no such key.
    package var objects: UInt64 = 0
    package var bytes: UInt64 = 0
    package var passedOver: UInt64 = 0

    package init(backend: BackendRecord, bucket: String, adopted: Timestamp) {
        (self.backend, self.bucket, self.adopted) = (backend, bucket, adopted)
    }

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.record(1) { backend.write(to: &$0) }
        writer.text(2, bucket)
        writer.number(3, standing.rawValue)
        writer.number(4, adopted.nanoseconds)
        writer.number(5, objects)
        writer.number(6, bytes)
        writer.number(7, passedOver)
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        var reader = RecordReader(encoded)
        var found: BackendRecord?
        (bucket, adopted) = ("", Timestamp(nanoseconds: 0))
        while let (field, value) = try reader.next() {
            switch field {
            case 1: found = try BackendRecord(value.record())
            case 2: bucket = value.text
            case 3:
                guard let known = Standing(rawValue: value.number) else { throw .malformed }
                standing = known
            case 4: adopted = Timestamp(nanoseconds: value.signed)
            case 5: objects = value.number
            case 6: bytes = value.number
            case 7: passedOver = value.number
            default: break
            }
        }
        guard let found else { throw .malformed }
        backend = found
    }
}
