package import Primitives

/// A multipart upload, under `Keys.upload`.
package struct UploadRecord: Sendable, Hashable {
    package enum State: UInt64, Sendable {
        case open = 0
        /// It was completed; the record stays as a tombstone that answers a client's retry with the first answer.
        case completed = 1
    }

    package var state = State.open
    package var started = Timestamp(nanoseconds: 0)
    /// What the object will have: headers, metadata, tags, storage class. Size, parts and segments are empty.
    package var template = VersionRecord()
    /// The algorithm that the parts' checksums use, as S3 spells it; nil where the client named none.
    package var checksumAlgorithm: String?
    package var isComposite = false
    /// Who started it: an account and an ARN.
    package var initiator = ""
    package var initiatorARN = ""
    /// Of a completed one: the object's ETag, version id and checksum, and a digest of the list of parts that completed
    /// it.
    package var result: Result?

    package struct Result: Sendable, Hashable {
        package var etag: String
        package var uid: UInt64
        package var isNull: Bool
        package var checksum: StoredChecksum?
        package var completed: Timestamp

        package init(etag: String, uid: UInt64, isNull: Bool, checksum: StoredChecksum?, completed: Timestamp) {
            (self.etag, self.uid, self.isNull) = (etag, uid, isNull)
            (self.checksum, self.completed) = (checksum, completed)
        }
    }

    package init() {}

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.number(1, state.rawValue)
        writer.number(2, started.nanoseconds)
        writer.bytes(3, template.encoded)
        writer.text(4, checksumAlgorithm)
        writer.number(5, UInt64(isComposite ? 1 : 0))
        writer.text(6, initiator)
        writer.text(7, initiatorARN)
        if let result {
            writer.record(8) {
                $0.text(1, result.etag)
                $0.number(2, result.uid)
                $0.number(3, UInt64(result.isNull ? 1 : 0))
                $0.number(4, result.completed.nanoseconds)
                if let checksum = result.checksum { $0.record(5) { checksum.write(to: &$0) } }
            }
        }
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        var reader = RecordReader(encoded)
        while let (field, value) = try reader.next() {
            switch field {
            case 1:
                guard let known = State(rawValue: value.number) else { throw RecordError.malformed }
                state = known
            case 2: started = Timestamp(nanoseconds: value.signed)
            case 3: template = try VersionRecord(encoded: value.bytes)
            case 4: checksumAlgorithm = value.text
            case 5: isComposite = value.number != 0
            case 6: initiator = value.text
            case 7: initiatorARN = value.text
            case 8: result = try Result(value.record())
            default: break
            }
        }
    }
}

extension UploadRecord.Result {
    init(_ reader: RecordReader) throws(RecordError) {
        var reader = reader
        self.init(etag: "", uid: 0, isNull: false, checksum: nil, completed: Timestamp(nanoseconds: 0))
        while let (field, value) = try reader.next() {
            switch field {
            case 1: etag = value.text
            case 2: uid = value.number
            case 3: isNull = value.number != 0
            case 4: completed = Timestamp(nanoseconds: value.signed)
            case 5: checksum = try StoredChecksum(value.record())
            default: break
            }
        }
    }
}

/// A part of an upload, under `Keys.part`.
package struct PartRecord: Sendable, Hashable {
    package var size: Int64 = 0
    package var etag = ""
    package var modified = Timestamp(nanoseconds: 0)
    package var checksum: StoredChecksum?
    package var segments: [Segment] = []

    package init() {}

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.number(1, size)
        writer.text(2, etag)
        writer.number(3, modified.nanoseconds)
        if let checksum { writer.record(4) { checksum.write(to: &$0) } }
        for segment in segments { writer.record(5) { segment.write(to: &$0) } }
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        var reader = RecordReader(encoded)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: size = value.signed
            case 2: etag = value.text
            case 3: modified = Timestamp(nanoseconds: value.signed)
            case 4: checksum = try StoredChecksum(value.record())
            case 5: segments.append(try Segment(value.record()))
            default: break
            }
        }
    }
}

/// The parts and segments of a version whose record would be too long with them, under `Keys.manifest`.
package struct ManifestRecord: Sendable, Hashable {
    package var segments: [Segment] = []
    package var parts: [StoredPart] = []

    package init(segments: [Segment], parts: [StoredPart]) {
        (self.segments, self.parts) = (segments, parts)
    }

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        for segment in segments { writer.record(1) { segment.write(to: &$0) } }
        for part in parts { writer.record(2) { part.write(to: &$0) } }
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        var reader = RecordReader(encoded)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: segments.append(try Segment(value.record()))
            case 2: parts.append(try StoredPart(value.record()))
            default: break
            }
        }
    }
}
