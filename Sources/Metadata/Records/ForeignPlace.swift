/// Where bytes lie that are no blob of ours: in an object of another service, which was adopted and stays where it is.
package struct ForeignPlace: Sendable, Hashable {
    /// Which of the adopted buckets has it (`Keys.source`).
    package var source: UInt16
    /// The object's key there.
    package var key: [UInt8]
    /// Where in the object the run begins.
    package var offset: Int64
    /// The object's ETag, without quotes: with another one it is another object by now.
    package var etag: String
    /// Whether the ETag is the MD5 of the object's bytes, as far as the service tells.
    package var isMD5: Bool

    package init(source: UInt16, key: [UInt8], offset: Int64, etag: String, isMD5: Bool) {
        (self.source, self.key, self.offset, self.etag, self.isMD5) = (source, key, offset, etag, isMD5)
    }

    func write(to writer: inout RecordWriter) {
        writer.number(1, UInt64(source))
        writer.bytes(2, key)
        writer.number(3, offset)
        writer.text(4, etag)
        writer.number(5, isMD5 ? 1 : 0 as UInt64)
    }

    init(_ reader: RecordReader) throws(RecordError) {
        var reader = reader
        self.init(source: 0, key: [], offset: 0, etag: "", isMD5: false)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: source = try value.exactly()
            case 2: key = value.bytes
            case 3: offset = value.signed
            case 4: etag = value.text
            case 5: isMD5 = value.number != 0
            default: break
            }
        }
    }

    /// The row of the place, under `Keys.foreign`.
    package var encoded: [UInt8] {
        var writer = RecordWriter()
        write(to: &writer)
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        try self.init(RecordReader(encoded))
    }
}
