package import Primitives

/// A run of an object's bytes and where they lie: at most 1 GiB of one blob.
package struct Segment: Sendable, Hashable {
    package var blob: BlobName
    /// Where in the blob the run begins.
    package var offset: Int64
    /// Bytes in the blob. Equal to `plainLength` while nothing transforms them.
    package var storedLength: Int64
    /// Bytes of the object.
    package var plainLength: Int64
    /// The id of the row that keeps the blob alive for this segment (`Keys.reference`).
    package var reference: UInt64
    /// What is needed to read the blob without its record.
    package var location: BlobLocation
    /// Where the bytes are instead; nil where they are in a blob.
    package var foreign: ForeignPlace?

    package init(
        blob: BlobName, offset: Int64, storedLength: Int64, plainLength: Int64, reference: UInt64,
        location: BlobLocation
    ) {
        (self.blob, self.offset, self.storedLength) = (blob, offset, storedLength)
        (self.plainLength, self.reference, self.location) = (plainLength, reference, location)
    }

    /// A run of an object that stays where it is. The name is nobody's blob: by it the run is referred to and given up,
    /// as others are.
    package init(of foreign: ForeignPlace, length: Int64, as name: BlobName, reference: UInt64) {
        let nowhere = BlobLocation(
            length: length, dataShards: 0, parityShards: 0, cellSize: 0, placementEpoch: 0, exceptions: [])
        self.init(
            blob: name, offset: 0, storedLength: length, plainLength: length, reference: reference, location: nowhere)
        self.foreign = foreign
    }

    /// Whether other objects may have bytes in the blob too.
    package var sharesBlob: Bool { offset != 0 || storedLength != location.length }

    package func write(to writer: inout RecordWriter) {
        writer.bytes(1, blob.bytes)
        writer.number(2, offset)
        writer.number(3, storedLength)
        writer.number(4, plainLength)
        writer.number(5, reference)
        writer.record(6) { location.write(to: &$0) }
        if let foreign { writer.record(7) { foreign.write(to: &$0) } }
    }

    package init(_ reader: RecordReader) throws(RecordError) {
        var reader = reader
        var name: BlobName?
        var found: BlobLocation?
        (offset, storedLength, plainLength, reference) = (0, 0, 0, 0)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: name = BlobName(bytes: value.bytes)
            case 2: offset = value.signed
            case 3: storedLength = value.signed
            case 4: plainLength = value.signed
            case 5: reference = value.number
            case 6: found = try BlobLocation(value.record())
            case 7: foreign = try ForeignPlace(value.record())
            // Transforms (compression, encryption) will be fields above 100: bytes under an unknown one must not be
            // served raw.
            case 100...: throw RecordError.malformed
            default: break
            }
        }
        guard let name, let found else { throw RecordError.malformed }
        (blob, location) = (name, found)
    }
}

/// How a blob is spread over the stores of its pool.
package struct BlobLocation: Sendable, Hashable {
    /// A shard that is not where placement says, or that no store took.
    package struct Exception: Sendable, Hashable {
        package var index: UInt8
        package var store: UInt16?
        package var attempt: UInt8

        package init(index: UInt8, store: UInt16?, attempt: UInt8) {
            (self.index, self.store, self.attempt) = (index, store, attempt)
        }
    }

    /// Bytes of the whole blob.
    package var length: Int64
    package var dataShards: Int
    package var parityShards: Int
    package var cellSize: Int
    package var placementEpoch: UInt32
    package var exceptions: [Exception]

    package init(
        length: Int64, dataShards: Int, parityShards: Int, cellSize: Int, placementEpoch: UInt32,
        exceptions: [Exception]
    ) {
        (self.length, self.dataShards, self.parityShards) = (length, dataShards, parityShards)
        (self.cellSize, self.placementEpoch, self.exceptions) = (cellSize, placementEpoch, exceptions)
    }

    package func write(to writer: inout RecordWriter) {
        writer.number(1, length)
        writer.number(2, UInt64(dataShards))
        writer.number(3, UInt64(parityShards))
        writer.number(4, UInt64(cellSize))
        writer.number(5, UInt64(placementEpoch))
        for exception in exceptions {
            writer.bytes(
                6,
                [
                    exception.index, exception.attempt, exception.store == nil ? 0 : 1,
                    UInt8(truncatingIfNeeded: (exception.store ?? 0) >> 8),
                    UInt8(truncatingIfNeeded: exception.store ?? 0),
                ])
        }
    }

    package init(_ reader: RecordReader) throws(RecordError) {
        var reader = reader
        self.init(length: 0, dataShards: 0, parityShards: 0, cellSize: 0, placementEpoch: 0, exceptions: [])
        while let (field, value) = try reader.next() {
            switch field {
            case 1: length = value.signed
            case 2: dataShards = try value.exactly()
            case 3: parityShards = try value.exactly()
            case 4: cellSize = try value.exactly()
            case 5: placementEpoch = try value.exactly()
            case 6:
                let bytes = value.bytes
                guard bytes.count == 5 else { throw RecordError.malformed }
                let store = UInt16(bytes[3]) << 8 | UInt16(bytes[4])
                exceptions.append(
                    Exception(index: bytes[0], store: bytes[2] == 1 ? store : nil, attempt: bytes[1]))
            default: break
            }
        }
    }
}

/// A blob, under `Keys.blob`.
package struct BlobRecord: Sendable, Hashable {
    package var location: BlobLocation

    package init(location: BlobLocation) {
        self.location = location
    }

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.record(1) { location.write(to: &$0) }
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        var reader = RecordReader(encoded)
        var found: BlobLocation?
        while let (field, value) = try reader.next() {
            if field == 1 { found = try BlobLocation(value.record()) }
        }
        guard let found else { throw RecordError.malformed }
        location = found
    }
}
