package import NIOCore

/// The end of a shard: what was known only once the body had ended. The page Formats has it byte by byte.
///
/// All shards of a blob have the same one, but for the checksums, which are bound to the shard.
package struct ShardFooter: Hashable, Sendable {
    /// Bytes of the blob.
    package var length: Int64
    /// The root of each shard: a checksum over the checksums of its cells.
    package var roots: [UInt64]
    /// What the blob is, for recovery without the index: opaque here, up to `mostRecovery` bytes.
    package var recovery: [UInt8]

    package static let magic: UInt64 = 0x5449_4445_464f_4f54  // "TIDEFOOT"
    package static let mostRecovery = 64 << 10
    /// Bytes of the trailer, with which every shard ends.
    package static let trailerSize = 24
    static let trailerMark: UInt32 = 0x5447_4531  // "TGE1"

    package init(length: Int64, roots: [UInt64], recovery: [UInt8]) {
        (self.length, self.roots, self.recovery) = (length, roots, recovery)
    }

    /// One checksum over the roots of all shards.
    package var blobRoot: UInt64 { roots.reduce(0, ShardChecksum.extended) }

    /// Bytes of the fixed part of a footer for so many shards; the recovery record follows it.
    package static func fixedSize(shards: Int) -> Int { 40 + 8 * shards + 8 }

    /// Bytes of a whole footer.
    package static func size(shards: Int, recovery: Int) -> Int {
        fixedSize(shards: shards) + recovery + 8 + trailerSize
    }

    /// Most bytes that a footer can have.
    package static var mostSize: Int {
        size(shards: Geometry.mostDataShards + Geometry.mostParityShards, recovery: mostRecovery)
    }

    /// The bytes of the footer of one shard.
    ///
    /// - Throws: `layout` where the recovery record is too long.
    package func encoded(_ checksum: ShardChecksum, stripes: Int64) throws(ErasureError) -> ByteBuffer {
        guard recovery.count <= Self.mostRecovery else {
            throw .layout("a recovery record of \(recovery.count) bytes; at most \(Self.mostRecovery) are possible")
        }
        var bytes = ByteBuffer()
        bytes.reserveCapacity(Self.size(shards: roots.count, recovery: recovery.count))
        bytes.writeInteger(Self.magic)
        bytes.writeInteger(length)
        bytes.writeInteger(stripes)
        bytes.writeInteger(UInt32(recovery.count))
        bytes.writeInteger(UInt32(roots.count))
        for root in roots { bytes.writeInteger(root) }
        bytes.writeInteger(blobRoot)
        bytes.writeInteger(checksum.of(.footer, bytes.readableBytesSpan))
        bytes.writeBytes(recovery)
        bytes.writeInteger(checksum.of(.recovery, ByteBuffer(bytes: recovery).readableBytesSpan))
        var trailer = ByteBuffer()
        trailer.writeInteger(length)
        trailer.writeInteger(UInt32(bytes.readableBytes + Self.trailerSize))
        trailer.writeInteger(Self.trailerMark)
        trailer.writeInteger(checksum.of(.trailer, trailer.readableBytesSpan))
        bytes.writeBuffer(&trailer)
        return bytes
    }

    /// What the last 24 bytes of a shard say.
    package struct Trailer: Hashable, Sendable {
        /// Bytes of the blob.
        package var length: Int64
        /// Bytes of the footer, this trailer included.
        package var footerSize: Int

        /// - Throws: `malformed` for anything but a sound trailer of that shard.
        package init(decoding bytes: ByteBuffer, _ checksum: ShardChecksum) throws(ErasureError) {
            var rest = bytes
            guard rest.readableBytes == ShardFooter.trailerSize, let length = rest.readInteger(as: Int64.self),
                let size = rest.readInteger(as: UInt32.self), let mark = rest.readInteger(as: UInt32.self),
                mark == ShardFooter.trailerMark, let sum = rest.readInteger(as: UInt64.self)
            else { throw .malformed("no shard ends here") }
            let checked = bytes.getSlice(at: bytes.readerIndex, length: 16) ?? ByteBuffer()
            guard sum == checksum.of(.trailer, checked.readableBytesSpan) else {
                throw .malformed("the trailer's checksum is wrong")
            }
            guard (0...ShardLayout.mostLength).contains(length), size <= ShardFooter.mostSize else {
                throw .malformed("the trailer's lengths are not what they can be")
            }
            (self.length, footerSize) = (length, Int(size))
        }
    }

    /// Reads a whole footer.
    ///
    /// - Throws: `malformed` for anything but a sound footer of that shard.
    package init(decoding bytes: ByteBuffer, _ checksum: ShardChecksum, geometry: Geometry) throws(ErasureError) {
        var rest = bytes
        let fixed = Self.fixedSize(shards: geometry.shards)
        guard let checked = bytes.getSlice(at: bytes.readerIndex, length: fixed - 8),
            let magic = rest.readInteger(as: UInt64.self), magic == Self.magic,
            let length = rest.readInteger(as: Int64.self), let stripes = rest.readInteger(as: Int64.self),
            let recoverySize = rest.readInteger(as: UInt32.self), let count = rest.readInteger(as: UInt32.self),
            count == geometry.shards
        else { throw .malformed("no footer begins here") }
        var roots: [UInt64] = []
        while roots.count < geometry.shards, let root = rest.readInteger(as: UInt64.self) { roots.append(root) }
        guard let blobRoot = rest.readInteger(as: UInt64.self), let sum = rest.readInteger(as: UInt64.self),
            sum == checksum.of(.footer, checked.readableBytesSpan)
        else { throw .malformed("the footer's checksum is wrong") }
        guard recoverySize <= Self.mostRecovery, let recovery = rest.readSlice(length: Int(recoverySize)),
            let recoverySum = rest.readInteger(as: UInt64.self),
            recoverySum == checksum.of(.recovery, recovery.readableBytesSpan)
        else { throw .malformed("the recovery record's checksum is wrong") }
        let trailer = try Trailer(decoding: rest, checksum)
        self.init(length: length, roots: roots, recovery: Array(recovery.readableBytesView))
        guard trailer.length == length, trailer.footerSize == bytes.readableBytes, blobRoot == self.blobRoot,
            try ShardLayout(geometry, length: length).stripes == stripes
        else { throw .malformed("the parts of the footer do not fit one another") }
    }
}
