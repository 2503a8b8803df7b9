package import NIOCore
import Storage

/// How small blobs lie in a segment, which is a file of fixed size, written over with zeros before it is used, so that
/// a write changes no metadata of the file system and a sync is one write of data (the page DirectoryStore of
/// Decisions).
///
/// ```
/// slot 0          what the file is: magic "TGSH", CRC-32C of the rest, format version, slots, number
/// slot 1, 2, …    one a blob, 64 bytes each, in the order of writing
/// payloads        from the end of the slots on; those of one batch begin at a sector of their own
/// ```
///
/// A slot: magic "TGSG" (4), CRC-32C of bytes 8–59 (4), number of the segment (8), number of the batch in it (8), name
/// (24), offset of the payload in the file (4), its length (4), its CRC-32C (4), state (4). All integers are
/// big-endian. A blob is deleted by overwriting its state in place, which its own checksum leaves out. A slot never
/// crosses a sector, so that a write that power cuts short leaves the state it had or the new one.
package enum SegmentFormat {
    static let slotBytes = 64
    static let stateOffset: Int64 = 60
    static let version: UInt32 = 1
    static let sectorBytes: Int64 = 512
    /// The state of a deleted blob ("dead"); any other is that of a live one, so that damage never deletes.
    static let dead: UInt32 = 0x6465_6164

    private static let headerMagic: UInt32 = 0x5447_5348
    private static let slotMagic: UInt32 = 0x5447_5347

    /// How many slots, the header's included, a new segment has: a sixteenth of it.
    static func slots(of segmentBytes: Int64) -> Int64 {
        segmentBytes / 16 / Int64(slotBytes)
    }

    /// What slot 0 says.
    package struct Header: Equatable, Sendable {
        package let slots: UInt32
        package let number: UInt64

        package init(slots: UInt32, number: UInt64) {
            (self.slots, self.number) = (slots, number)
        }
    }

    package static func encode(_ header: Header) -> ByteBuffer {
        var body = ByteBuffer()
        body.writeMultipleIntegers(version, header.slots, header.number)
        body.writeRepeatingByte(0, count: slotBytes - 8 - body.readableBytes)
        return framed(headerMagic, body)
    }

    /// What slot 0 of a file may say.
    package enum DecodedHeader: Equatable, Sendable {
        case header(Header)
        /// A version of the format that this code does not know.
        case newer(UInt32)
        case damaged
    }

    package static func decodeHeader(_ bytes: ByteBuffer) -> DecodedHeader {
        guard var body = unframed(headerMagic, bytes, checked: slotBytes - 8),
            let (version, slots, number) = body.readMultipleIntegers(as: (UInt32, UInt32, UInt64).self)
        else { return .damaged }
        return version == Self.version ? .header(Header(slots: slots, number: number)) : .newer(version)
    }

    /// A blob of a segment, as its slot describes it.
    package struct Slot: Equatable, Sendable {
        package let segment: UInt64
        package let batch: UInt64
        package let name: PackedName
        package let offset: UInt32
        package let length: UInt32
        package let checksum: UInt32
        package var isDead = false

        package init(
            segment: UInt64, batch: UInt64, name: PackedName, offset: UInt32, length: UInt32, checksum: UInt32,
            isDead: Bool = false
        ) {
            (self.segment, self.batch, self.name) = (segment, batch, name)
            (self.offset, self.length, self.checksum, self.isDead) = (offset, length, checksum, isDead)
        }
    }

    package static func encode(_ slot: Slot) -> ByteBuffer {
        var body = ByteBuffer()
        body.writeMultipleIntegers(slot.segment, slot.batch, slot.name.high, slot.name.counter, slot.name.low)
        body.writeMultipleIntegers(slot.offset, slot.length, slot.checksum)
        var bytes = framed(slotMagic, body)
        bytes.writeInteger(slot.isDead ? dead : 0)
        return bytes
    }

    /// Whether 64 bytes are as no blob has yet written them.
    static func isUnwritten(_ bytes: ByteBuffer) -> Bool {
        bytes.getInteger(at: bytes.readerIndex, as: UInt64.self) == 0
    }

    /// The slot in 64 bytes; nil for an empty or damaged one.
    package static func decodeSlot(_ bytes: ByteBuffer) -> Slot? {
        guard var body = unframed(slotMagic, bytes, checked: slotBytes - 12),
            let (segment, batch) = body.readMultipleIntegers(as: (UInt64, UInt64).self),
            let (high, counter, low) = body.readMultipleIntegers(as: (UInt64, UInt64, UInt64).self),
            let (offset, length, checksum) = body.readMultipleIntegers(as: (UInt32, UInt32, UInt32).self),
            let state = body.readInteger(as: UInt32.self)
        else { return nil }
        return Slot(
            segment: segment, batch: batch, name: PackedName(high: high, counter: counter, low: low), offset: offset,
            length: length, checksum: checksum, isDead: state == dead)
    }

    private static func framed(_ magic: UInt32, _ body: ByteBuffer) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeMultipleIntegers(magic, CChecksumsCalls.crc32c(body))
        bytes.writeImmutableBuffer(body)
        return bytes
    }

    /// What follows the magic and the checksum, where both are right.
    private static func unframed(_ magic: UInt32, _ bytes: ByteBuffer, checked: Int) -> ByteBuffer? {
        var bytes = bytes
        guard let (found, checksum) = bytes.readMultipleIntegers(as: (UInt32, UInt32).self), found == magic,
            let body = bytes.getSlice(at: bytes.readerIndex, length: checked),
            CChecksumsCalls.crc32c(body) == checksum
        else { return nil }
        return bytes
    }
}
