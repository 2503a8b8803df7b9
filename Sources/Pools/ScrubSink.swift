import Erasure
import NIOCore
import Primitives

/// Checks a shard from its header to where its footer begins.
struct ScrubSink: BodySink {
    /// Bytes read of the footer, after which its length is known.
    static let footerPrefix = 32

    private let layout: ShardLayout
    private let checksum: ShardChecksum
    private let touch: @Sendable () -> Void
    private var stripe: Int64 = -1
    private var left = ShardHeader.size
    private var sum: UInt64 = 0
    private var stored = ByteBuffer()
    private(set) var header = ByteBuffer()
    private(set) var footerStart = ByteBuffer()
    private(set) var corruptStripes: [Int64] = []
    private(set) var root: UInt64

    init(_ layout: ShardLayout, _ checksum: ShardChecksum, touch: @escaping @Sendable () -> Void) {
        (self.layout, self.checksum, self.touch) = (layout, checksum, touch)
        root = checksum.emptyRoot
    }

    /// Whether all cells were there.
    var isWhole: Bool { stripe == layout.stripes && footerStart.readableBytes == Self.footerPrefix }

    mutating func write(_ bytes: ByteBuffer) async throws(BodyError) {
        touch()
        var bytes = bytes
        while bytes.readableBytes > 0 {
            if stripe == -1 {
                take(&bytes, into: &header, upTo: ShardHeader.size)
                if header.readableBytes == ShardHeader.size { begin(0) }
            } else if stripe == layout.stripes {
                take(&bytes, into: &footerStart, upTo: Self.footerPrefix)
                bytes.clear()
            } else if left > 0 {
                guard let piece = bytes.readSlice(length: min(left, bytes.readableBytes)) else { return }
                sum = ShardChecksum.continued(sum, over: piece.readableBytesSpan)
                left -= piece.readableBytes
            } else {
                take(&bytes, into: &stored, upTo: ShardLayout.checksumSize)
                if stored.readableBytes == ShardLayout.checksumSize { endCell() }
            }
        }
    }

    private mutating func begin(_ next: Int64) {
        stripe = next
        stored.clear()
        guard stripe < layout.stripes else { return }
        left = layout.cellSize(inStripe: stripe)
        sum = checksum.begin(stripe: stripe)
    }

    private mutating func endCell() {
        root = ShardChecksum.extended(root, by: sum)
        if stored.getInteger(at: stored.readerIndex, as: UInt64.self) != sum, corruptStripes.count < 100 {
            corruptStripes.append(stripe)
        }
        begin(stripe + 1)
    }

    private func take(_ bytes: inout ByteBuffer, into buffer: inout ByteBuffer, upTo size: Int) {
        let count = min(bytes.readableBytes, size - buffer.readableBytes)
        if let piece = bytes.readSlice(length: count) { buffer.writeImmutableBuffer(piece) }
    }
}
