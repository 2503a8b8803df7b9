/// Where the bytes of a blob of known length lie in its shards: arithmetic alone.
///
/// A shard is its header, then for each stripe a cell followed by its checksum, then its footer. All stripes but the
/// last are full; the cells of the last are as small as its bytes allow.
package struct ShardLayout: Hashable, Sendable {
    package let geometry: Geometry
    /// Bytes of the blob.
    package let length: Int64

    /// Longest blob that a locator may name: 2^52 bytes, so that no sum of offsets overflows.
    package static let mostLength: Int64 = 1 << 52
    /// Bytes of the checksum that follows each cell.
    package static let checksumSize = 8

    /// - Throws: `layout` where the length is negative or above `mostLength`.
    package init(_ geometry: Geometry, length: Int64) throws(ErasureError) {
        guard (0...Self.mostLength).contains(length) else { throw .layout("a blob of \(length) bytes") }
        (self.geometry, self.length) = (geometry, length)
    }

    /// Number of stripes; none for an empty blob.
    package var stripes: Int64 {
        let size = Int64(geometry.stripeSize)
        return length / size + (length % size == 0 ? 0 : 1)
    }

    /// Bytes of the blob in a stripe.
    package func bytes(inStripe stripe: Int64) -> Int {
        Int(min(Int64(geometry.stripeSize), length - stripe * Int64(geometry.stripeSize)))
    }

    /// Bytes of each cell of a stripe.
    package func cellSize(inStripe stripe: Int64) -> Int {
        Self.cellSize(of: geometry, holding: bytes(inStripe: stripe))
    }

    /// The smallest cell with which a stripe holds `bytes`.
    package static func cellSize(of geometry: Geometry, holding bytes: Int) -> Int {
        let share = (bytes + geometry.dataShards - 1) / geometry.dataShards
        let alignment = Geometry.cellAlignment
        return min(geometry.cellSize, (share + alignment - 1) / alignment * alignment)
    }

    /// Where the cell of a stripe begins in a shard; its checksum follows it. For `stripes`, where the footer begins.
    package func offset(ofStripe stripe: Int64) -> Int64 {
        let full = length / Int64(geometry.stripeSize)
        let start = Int64(ShardHeader.size) + min(stripe, full) * Int64(geometry.cellSize + Self.checksumSize)
        guard stripe > full else { return start }
        return start + Int64(cellSize(inStripe: full) + Self.checksumSize)
    }

    /// Where the footer begins in every shard.
    package var footerOffset: Int64 { offset(ofStripe: stripes) }

    /// The stripe that holds a byte of the blob.
    package func stripe(of offset: Int64) -> Int64 { offset / Int64(geometry.stripeSize) }

    /// The part of the blob's bytes within a stripe that a data shard's cell holds; empty where it is padding only.
    package func content(ofShard shard: Int, inStripe stripe: Int64) -> Range<Int> {
        let (cell, bytes) = (cellSize(inStripe: stripe), bytes(inStripe: stripe))
        return min(shard * cell, bytes)..<min((shard + 1) * cell, bytes)
    }
}
