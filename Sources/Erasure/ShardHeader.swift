package import NIOCore
package import Primitives

/// The first 72 bytes of a shard: what it is. The page Formats has it byte by byte.
package struct ShardHeader: Hashable, Sendable {
    package var deployment: DeploymentID
    /// The name of the shard, its index and attempt included.
    package var name: BlobName
    package var geometry: Geometry
    /// Which list of stores the blob was placed by.
    package var placementEpoch: UInt32

    package static let size = 72
    package static let magic: UInt64 = 0x5449_4445_5348_5244  // "TIDESHRD"
    package static let formatVersion: UInt16 = 1

    package init(deployment: DeploymentID, name: BlobName, geometry: Geometry, placementEpoch: UInt32) {
        (self.deployment, self.name, self.geometry) = (deployment, name, geometry)
        self.placementEpoch = placementEpoch
    }

    private var shard: Int { Int(name.shard?.index ?? .max) }
    private var checksum: ShardChecksum { ShardChecksum(deployment: deployment, blob: name, shard: shard) }

    /// The bytes of the header.
    package var encoded: ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(Self.size)
        bytes.writeInteger(Self.magic)
        bytes.writeInteger(Self.formatVersion)
        bytes.writeInteger(UInt16(Self.size))
        bytes.writeInteger(UInt32(geometry.cellSize))
        bytes.writeBytes(deployment.bytes)
        bytes.writeBytes(name.bytes)
        bytes.writeInteger(UInt8(geometry.dataShards))
        bytes.writeInteger(UInt8(geometry.parityShards))
        bytes.writeRepeatingByte(0, count: 3)
        bytes.writeInteger(placementEpoch)
        bytes.writeRepeatingByte(0, count: 4)
        bytes.writeInteger(checksum.of(.header, bytes.readableBytesSpan))
        return bytes
    }

    /// Reads a header.
    ///
    /// - Throws: `malformed` for anything but a sound header of this format version.
    package init(decoding bytes: ByteBuffer) throws(ErasureError) {
        var rest = bytes
        guard rest.readableBytes == Self.size, let magic = rest.readInteger(as: UInt64.self), magic == Self.magic else {
            throw .malformed("no shard begins here")
        }
        guard let version = rest.readInteger(as: UInt16.self), version == Self.formatVersion,
            let size = rest.readInteger(as: UInt16.self), size == Self.size
        else { throw .malformed("a shard of a format version that is not known here") }
        guard let cellSize = rest.readInteger(as: UInt32.self), let deployment = rest.readBytes(length: 16),
            let nameBytes = rest.readBytes(length: 19), let name = BlobName(bytes: nameBytes),
            let dataShards = rest.readInteger(as: UInt8.self), let parityShards = rest.readInteger(as: UInt8.self),
            let zeros = rest.readBytes(length: 3), zeros.allSatisfy({ $0 == 0 }),
            let placementEpoch = rest.readInteger(as: UInt32.self),
            let reserved = rest.readInteger(as: UInt32.self), reserved == 0,
            let checksum = rest.readInteger(as: UInt64.self)
        else { throw .malformed("the header's fields are not what they can be") }
        self.init(
            deployment: try DeploymentID(deployment), name: name,
            geometry: try Geometry(
                dataShards: Int(dataShards), parityShards: Int(parityShards), cellSize: Int(cellSize)),
            placementEpoch: placementEpoch)
        let checked = bytes.getSlice(at: bytes.readerIndex, length: Self.size - 8) ?? ByteBuffer()
        guard shard < geometry.shards, checksum == self.checksum.of(.header, checked.readableBytesSpan) else {
            throw .malformed("the header's checksum is wrong")
        }
    }
}
