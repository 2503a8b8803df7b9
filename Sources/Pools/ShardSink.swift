import Erasure
import NIOCore
import Primitives

/// Cuts what a store delivers of a shard into cells, checks each, and hands it to the gather. Nothing unchecked passes.
struct ShardSink: BodySink {
    private let gather: StripeGather
    private let reader: GatherReader
    private let layout: ShardLayout
    private let checksum: ShardChecksum
    private var stripe: Int64
    private var pieces: [ByteBuffer] = []
    /// Bytes of the cell that are still to come.
    private var left = 0
    private var sum: UInt64 = 0
    /// Bytes of the stored checksum, while they come in parts.
    private var stored: UInt64 = 0
    private var storedBytes = 0

    init(_ gather: StripeGather, _ reader: GatherReader, layout: ShardLayout, checksum: ShardChecksum) {
        (self.gather, self.reader, self.layout, self.checksum) = (gather, reader, layout, checksum)
        stripe = reader.stripes.lowerBound
        begin()
    }

    private mutating func begin() {
        guard stripe < reader.stripes.upperBound else { return }
        left = layout.cellSize(inStripe: stripe)
        sum = checksum.begin(stripe: stripe)
        (pieces, stored, storedBytes) = ([], 0, 0)
    }

    mutating func write(_ bytes: ByteBuffer) async throws(BodyError) {
        var bytes = bytes
        var cells: [GatheredCell?] = []
        while bytes.readableBytes > 0, stripe < reader.stripes.upperBound {
            if left > 0 {
                guard let piece = bytes.readSlice(length: min(left, bytes.readableBytes)) else { break }
                sum = ShardChecksum.continued(sum, over: piece.readableBytesSpan)
                left -= piece.readableBytes
                pieces.append(piece)
            } else if takeChecksum(&bytes) {
                cells.append(stored == sum ? GatheredCell(pieces: pieces) : nil)
                stripe += 1
                begin()
            }
        }
        if !cells.isEmpty { try await gather.deliver(reader.number, cells) }
    }

    /// Reads what there is of the stored checksum, and returns whether it is whole.
    private mutating func takeChecksum(_ bytes: inout ByteBuffer) -> Bool {
        if storedBytes == 0, let whole = bytes.readInteger(as: UInt64.self) {
            stored = whole
            return true
        }
        while storedBytes < ShardLayout.checksumSize, let byte = bytes.readInteger(as: UInt8.self) {
            stored = stored << 8 | UInt64(byte)
            storedBytes += 1
        }
        return storedBytes == ShardLayout.checksumSize
    }
}
