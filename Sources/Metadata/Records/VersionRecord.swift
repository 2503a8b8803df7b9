package import Primitives

/// One version of an object, or a delete marker.
///
/// A version stands in exactly one place: under `Keys.live` or `Keys.currentMarker` while it is current, under
/// `Keys.version` once it is not.
package struct VersionRecord: Sendable, Hashable {
    /// Per-key order. 0 where the entry's own commit version is the sequence, which is so until the record is written
    /// again.
    package var sequence: UInt64 = 0
    /// Drawn by the writer; with the sequence it makes the version id.
    package var uid: UInt64 = 0
    /// Whether its version id is `null`.
    package var isNull = false
    package var isDeleteMarker = false
    package var modified = Timestamp(nanoseconds: 0)
    package var size: Int64 = 0
    /// Without quotes.
    package var etag = ""
    package var storageClass: String?
    /// System headers that are stored and returned (`content-type` and so on), by lower-case name.
    package var headers: [String: String] = [:]
    /// User metadata, by name without `x-amz-meta-`.
    package var metadata: [String: String] = [:]
    package var tags: [ObjectTag] = []
    package var checksum: StoredChecksum?
    /// Where the bytes are, in order. Empty where `manifest` says that they are in the manifest.
    package var segments: [Segment] = []
    /// The parts that the object was uploaded in; empty for one uploaded at once.
    package var parts: [StoredPart] = []
    /// Whether segments and parts are under `Keys.manifest`.
    package var hasManifest = false
    /// How many parts there are; 0 for an object uploaded at once.
    package var partCount = 0
    /// When it was brought back from the footers of its shards; nil for a version whose commit was not lost.
    package var recovered: Timestamp?

    package init() {}

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.number(1, sequence)
        writer.number(2, uid)
        writer.number(3, UInt64((isNull ? 1 : 0) | (isDeleteMarker ? 2 : 0) | (hasManifest ? 4 : 0)))
        writer.number(4, modified.nanoseconds)
        writer.number(5, size)
        writer.text(6, etag)
        writer.text(7, storageClass)
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) { writer.pair(8, name, value) }
        for (name, value) in metadata.sorted(by: { $0.key < $1.key }) { writer.pair(9, name, value) }
        for tag in tags { writer.pair(10, tag.key, tag.value) }
        if let checksum { writer.record(11) { checksum.write(to: &$0) } }
        for segment in segments { writer.record(12) { segment.write(to: &$0) } }
        for part in parts { writer.record(13) { part.write(to: &$0) } }
        writer.number(14, UInt64(partCount))
        if let recovered { writer.number(15, recovered.nanoseconds) }
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        try self.init(encoded: encoded, isSummary: false)
    }

    private init(encoded: [UInt8], isSummary: Bool) throws(RecordError) {
        var reader = RecordReader(encoded)
        while let (field, value) = try reader.next() {
            switch field {
            case 8, 9, 10, 12, 13:
                if !isSummary { try take(field, value) }
            case 1: sequence = value.number
            case 2: uid = value.number
            case 3:
                // A flag of a later release may change what the record means.
                guard value.number < 8 else { throw RecordError.malformed }
                isNull = value.number & 1 != 0
                isDeleteMarker = value.number & 2 != 0
                hasManifest = value.number & 4 != 0
            case 4: modified = Timestamp(nanoseconds: value.signed)
            case 5: size = value.signed
            case 6: etag = value.text
            case 7: storageClass = value.text
            case 11: checksum = try StoredChecksum(value.record())
            case 14: partCount = try value.exactly()
            // A field that holds zero is one that was left out.
            case 15: recovered = value.number == 0 ? nil : Timestamp(nanoseconds: value.signed)
            default: break
            }
        }
    }

    /// Takes a field that listings do without.
    private mutating func take(_ field: UInt64, _ value: RecordReader.Value) throws(RecordError) {
        switch field {
        case 8: try headers.insert(pair: value)
        case 9: try metadata.insert(pair: value)
        case 10: tags.append(try ObjectTag(value.record()))
        case 12: segments.append(try Segment(value.record()))
        default: parts.append(try StoredPart(value.record()))
        }
    }

    /// The record of an entry, with its sequence filled in.
    ///
    /// - Parameter isSummary: whether headers, metadata, tags, segments and parts are left out, which listings do not
    ///   tell and which take most of the time.
    package init(_ entry: Entry, isSummary: Bool = false) throws(RecordError) {
        try self.init(encoded: entry.value, isSummary: isSummary)
        if sequence == 0 { sequence = entry.version }
    }
}

extension RecordWriter {
    fileprivate mutating func pair(_ field: UInt64, _ name: String, _ value: String) {
        record(field) {
            $0.text(1, name)
            $0.text(2, value)
        }
    }
}

extension [String: String] {
    fileprivate mutating func insert(pair value: RecordReader.Value) throws(RecordError) {
        let pair = try ObjectTag(value.record())
        self[pair.key] = pair.value
    }
}

/// A tag of an object or bucket.
package struct ObjectTag: Sendable, Hashable {
    package var key: String
    package var value: String

    package init(key: String, value: String) {
        (self.key, self.value) = (key, value)
    }

    init(_ reader: RecordReader) throws(RecordError) {
        var reader = reader
        (key, value) = ("", "")
        while let (field, content) = try reader.next() {
            if field == 1 { key = content.text }
            if field == 2 { value = content.text }
        }
    }

    /// A list of tags as the value of an entry.
    package static func encode(_ tags: [ObjectTag]) -> [UInt8] {
        var writer = RecordWriter()
        for tag in tags { writer.pair(1, tag.key, tag.value) }
        return writer.bytes
    }

    /// Reads what `encode` gives.
    package static func decode(_ bytes: [UInt8]) throws(RecordError) -> [ObjectTag] {
        var reader = RecordReader(bytes)
        var tags: [ObjectTag] = []
        while let (field, value) = try reader.next() {
            if field == 1 { tags.append(try ObjectTag(value.record())) }
        }
        return tags
    }
}

/// A checksum as it was given or computed.
package struct StoredChecksum: Sendable, Hashable {
    /// The algorithm, as S3 spells it (`CRC64NVME`).
    package var algorithm: String
    package var value: [UInt8]
    /// Whether it is a checksum of the parts' checksums.
    package var isComposite: Bool

    package init(algorithm: String, value: [UInt8], isComposite: Bool) {
        (self.algorithm, self.value, self.isComposite) = (algorithm, value, isComposite)
    }

    func write(to writer: inout RecordWriter) {
        writer.text(1, algorithm)
        writer.bytes(2, value)
        writer.number(3, UInt64(isComposite ? 1 : 0))
    }

    init(_ reader: RecordReader) throws(RecordError) {
        var reader = reader
        self.init(algorithm: "", value: [], isComposite: false)
        while let (field, content) = try reader.next() {
            switch field {
            case 1: algorithm = content.text
            case 2: value = content.bytes
            case 3: isComposite = content.number != 0
            default: break
            }
        }
    }
}

/// A part of an object, for `partNumber` reads and GetObjectAttributes.
package struct StoredPart: Sendable, Hashable {
    package var number: Int
    package var size: Int64
    package var checksum: [UInt8]

    package init(number: Int, size: Int64, checksum: [UInt8]) {
        (self.number, self.size, self.checksum) = (number, size, checksum)
    }

    func write(to writer: inout RecordWriter) {
        writer.number(1, UInt64(number))
        writer.number(2, size)
        if !checksum.isEmpty { writer.bytes(3, checksum) }
    }

    init(_ reader: RecordReader) throws(RecordError) {
        var reader = reader
        self.init(number: 0, size: 0, checksum: [])
        while let (field, content) = try reader.next() {
            switch field {
            case 1: number = try content.exactly()
            case 2: size = content.signed
            case 3: checksum = content.bytes
            default: break
            }
        }
    }
}
