/// How a blob is cut: each stripe into `dataShards` cells, to which `parityShards` more are computed.
///
/// Any `dataShards` shards give the blob back. With one data shard, the others are copies of it.
package struct Geometry: Hashable, Sendable, CustomStringConvertible {
    /// k: 1…32.
    package let dataShards: Int
    /// m: 0…16.
    package let parityShards: Int
    /// Bytes of a shard in a full stripe: a multiple of 64 up to 4 MiB.
    package let cellSize: Int

    package static let mostDataShards = 32
    package static let mostParityShards = 16
    package static let mostCellSize = 4 << 20
    /// Cells are multiples of this, so that the vector kernels have no tails.
    package static let cellAlignment = 64

    /// - Throws: `geometry` where a number is outside its limits.
    package init(dataShards: Int, parityShards: Int, cellSize: Int) throws(ErasureError) {
        guard (1...Self.mostDataShards).contains(dataShards) else {
            throw .geometry("\(dataShards) data shards; 1 to \(Self.mostDataShards) are possible")
        }
        guard (0...Self.mostParityShards).contains(parityShards) else {
            throw .geometry("\(parityShards) parity shards; 0 to \(Self.mostParityShards) are possible")
        }
        guard (Self.cellAlignment...Self.mostCellSize).contains(cellSize), cellSize % Self.cellAlignment == 0 else {
            throw .geometry("a cell of \(cellSize) bytes; it is a multiple of 64 up to \(Self.mostCellSize)")
        }
        self.init(unchecked: dataShards, parityShards, cellSize)
    }

    private init(unchecked dataShards: Int, _ parityShards: Int, _ cellSize: Int) {
        (self.dataShards, self.parityShards, self.cellSize) = (dataShards, parityShards, cellSize)
    }

    /// 4+2 with cells of 256 KiB: any two of six stores may be lost.
    package static let standard = Geometry(unchecked: 4, 2, 256 << 10)

    /// k + m.
    package var shards: Int { dataShards + parityShards }
    /// Bytes of the blob in a full stripe.
    package var stripeSize: Int { dataShards * cellSize }

    package var description: String { "\(dataShards)+\(parityShards) × \(cellSize)" }
}
