import NIOCore

/// The recovery record of a pack: where each object lies in it, and each object's own recovery record.
///
/// "TGPK", format version 1 (2 bytes), the number of entries (2), then for each its offset in the blob (8), its length
/// (8), the length of its record (4) and the record. Big-endian; the page Formats has it too.
package struct PackRecord: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        /// Where the object begins in the blob, and its length in bytes.
        package var offset: Int64
        package var length: Int64
        /// What the caller of `pack` gave.
        package var recovery: [UInt8]

        package init(offset: Int64, length: Int64, recovery: [UInt8]) {
            (self.offset, self.length, self.recovery) = (offset, length, recovery)
        }

        /// Bytes of an entry with such a record.
        static func size(recovery: Int) -> Int { 20 + recovery }
    }

    package var entries: [Entry]

    static let headerSize = 8
    private static let magic: UInt32 = 0x5447_504b  // "TGPK"
    private static let formatVersion: UInt16 = 1

    package init(entries: [Entry]) {
        self.entries = entries
    }

    package var encoded: [UInt8] {
        var bytes = ByteBuffer()
        bytes.writeInteger(Self.magic)
        bytes.writeInteger(Self.formatVersion)
        bytes.writeInteger(UInt16(truncatingIfNeeded: entries.count))
        for entry in entries {
            bytes.writeInteger(entry.offset)
            bytes.writeInteger(entry.length)
            bytes.writeInteger(UInt32(truncatingIfNeeded: entry.recovery.count))
            bytes.writeBytes(entry.recovery)
        }
        return Array(bytes.readableBytesView)
    }

    /// Reads a record; nil where it is not that of a pack.
    package init?(decoding bytes: [UInt8]) {
        var rest = ByteBuffer(bytes: bytes)
        guard rest.readInteger(as: UInt32.self) == Self.magic,
            rest.readInteger(as: UInt16.self) == Self.formatVersion, let count = rest.readInteger(as: UInt16.self)
        else { return nil }
        entries = []
        for _ in 0..<count {
            guard let offset = rest.readInteger(as: Int64.self), let length = rest.readInteger(as: Int64.self),
                offset >= 0, length >= 0, let size = rest.readInteger(as: UInt32.self),
                let recovery = rest.readBytes(length: Int(size))
            else { return nil }
            entries.append(Entry(offset: offset, length: length, recovery: recovery))
        }
        guard rest.readableBytes == 0 else { return nil }
    }
}
