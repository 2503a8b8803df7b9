/// How far a bucket keeps the public out, under `Keys.configuration` of the kind `publicAccessBlock`.
package struct PublicAccessRecord: Sendable, Hashable {
    package var blockPublicAcls = false
    package var ignorePublicAcls = false
    package var blockPublicPolicy = false
    package var restrictPublicBuckets = false

    package init() {}

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.number(1, blockPublicAcls ? 1 as UInt64 : 0)
        writer.number(2, ignorePublicAcls ? 1 as UInt64 : 0)
        writer.number(3, blockPublicPolicy ? 1 as UInt64 : 0)
        writer.number(4, restrictPublicBuckets ? 1 as UInt64 : 0)
        return writer.bytes
    }

    /// - Throws: also for a field that this release does not know: a restriction must not be taken for none.
    package init(encoded: [UInt8]) throws(RecordError) {
        var reader = RecordReader(encoded)
        while let (field, value) = try reader.next() {
            guard value.number <= 1 else { throw .malformed }
            let isSet = value.number == 1
            switch field {
            case 1: blockPublicAcls = isSet
            case 2: ignorePublicAcls = isSet
            case 3: blockPublicPolicy = isSet
            case 4: restrictPublicBuckets = isSet
            default: throw .malformed
            }
        }
    }
}
