package import NIOCore

/// Cuts the bytes of a body into stripes, computes their parity and checksums, and keeps the roots of the shards.
///
/// Bytes are copied once, to where they lie in the stripe; what `seal` gives are slices of that one buffer.
package struct StripeBuilder: Sendable {
    private let geometry: Geometry
    private let code: ErasureCode
    private let checksums: [ShardChecksum]
    private var buffer = ByteBuffer()
    private var cell: Int
    private var filled = 0
    /// Stripes sealed so far.
    package private(set) var stripes: Int64 = 0
    /// Bytes sealed so far.
    package private(set) var length: Int64 = 0
    /// The root of each shard so far.
    package private(set) var roots: [UInt64]

    /// - Parameter expected: How many bytes will come, where it is known: a hint by which small bodies get small cells.
    package init(_ geometry: Geometry, code: ErasureCode, checksums: [ShardChecksum], expected: Int64?) {
        (self.geometry, self.code, self.checksums) = (geometry, code, checksums)
        roots = checksums.map(\.emptyRoot)
        cell = Self.firstCell(geometry, expected: expected)
    }

    private static func firstCell(_ geometry: Geometry, expected: Int64?) -> Int {
        guard let expected, expected > 0, expected < geometry.stripeSize else { return geometry.cellSize }
        return ShardLayout.cellSize(of: geometry, holding: Int(expected))
    }

    private var stride: Int { ErasureCode.stride(ofCells: cell) }
    /// Whether a full stripe is waiting to be sealed.
    package var isFull: Bool { filled == geometry.stripeSize }
    /// Whether nothing is waiting to be sealed.
    package var isEmpty: Bool { filled == 0 }

    /// Takes as many of the bytes as the stripe has room for.
    package mutating func fill(from bytes: inout ByteBuffer) {
        while bytes.readableBytes > 0, !isFull {
            if filled == geometry.dataShards * cell { lay(cell: geometry.cellSize) }
            if filled == 0 { buffer.clear(minimumCapacity: geometry.shards * stride) }
            let (shard, offset) = filled.quotientAndRemainder(dividingBy: cell)
            guard let piece = bytes.readSlice(length: min(bytes.readableBytes, cell - offset)) else { return }
            filled += buffer.setBuffer(piece, at: shard * stride + offset)
        }
    }

    /// Lays the bytes taken so far out in cells of another size.
    private mutating func lay(cell newCell: Int) {
        guard newCell != cell else { return }
        buffer.moveWriterIndex(to: (filled + cell - 1) / cell * stride)
        var pieces: [ByteBuffer] = []
        for start in Swift.stride(from: 0, to: filled, by: cell) {
            let length = min(cell, filled - start)
            if let piece = buffer.getSlice(at: start / cell * stride, length: length) { pieces.append(piece) }
        }
        (buffer, cell, filled) = (ByteBuffer(), newCell, 0)
        for var piece in pieces { fill(from: &piece) }
    }

    /// Completes a stripe: pads it, computes its parity and its checksums. A stripe that is not full must be the last.
    package mutating func seal() throws(ErasureError) -> SealedStripe {
        let size = ShardLayout.cellSize(of: geometry, holding: filled)
        lay(cell: size)
        let total = geometry.shards * stride
        for shard in 0..<geometry.dataShards {
            let used = max(0, min(cell, filled - shard * cell))
            if used < cell { buffer.setRepeatingByte(0, count: cell - used, at: shard * stride + used) }
        }
        buffer.reserveCapacity(total)
        buffer.moveWriterIndex(to: total)
        try code.encode(&buffer, cell: cell, stride: stride)
        for shard in 0..<geometry.shards {
            let checksum = checksum(ofShard: shard)
            buffer.setInteger(checksum, at: shard * stride + cell)
            roots[shard] = ShardChecksum.extended(roots[shard], by: checksum)
        }
        let sealed = SealedStripe(bytes: buffer, pieceSize: cell + ShardLayout.checksumSize, stride: stride)
        stripes += 1
        length += Int64(filled)
        (buffer, filled, cell) = (ByteBuffer(), 0, geometry.cellSize)
        return sealed
    }

    private func checksum(ofShard shard: Int) -> UInt64 {
        let start = shard * stride
        return checksums[shard].ofCell(
            buffer.readableBytesSpan.extracting(start..<start + cell), stripe: stripes)
    }
}

/// A stripe as the shards hold it: for each shard, its cell and the cell's checksum.
package struct SealedStripe: Sendable {
    /// What lies between the pieces is no part of anything, and goes nowhere.
    private let bytes: ByteBuffer
    private let pieceSize: Int
    private let stride: Int

    /// - Parameter stride: how far apart the pieces begin.
    package init(bytes: ByteBuffer, pieceSize: Int, stride: Int) {
        (self.bytes, self.pieceSize, self.stride) = (bytes, pieceSize, stride)
    }

    /// What a shard holds of the stripe: a slice without a copy.
    package func piece(_ shard: Int) -> ByteBuffer {
        bytes.getSlice(at: shard * stride, length: pieceSize) ?? ByteBuffer()
    }
}
