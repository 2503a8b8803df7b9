import NIOCore
import Primitives

/// The body of one shard, as its writer pulls it from the fan.
struct ShardSource: BodySource {
    let fan: StripeFan
    let shard: Int
    private var pending: ArraySlice<ByteBuffer> = []

    init(_ fan: StripeFan, shard: Int) {
        (self.fan, self.shard) = (fan, shard)
    }

    mutating func next() async throws(BodyError) -> ByteBuffer? {
        if let piece = pending.popFirst() { return piece }
        let pieces = try await fan.next(shard)
        guard pieces.count > 1, pieces.reduce(0, { $0 + $1.readableBytes }) <= 96 << 10 else {
            pending = pieces[...]
            return pending.popFirst()
        }
        // Small pieces make one buffer, so that a small shard is one write.
        var joined = ByteBuffer()
        joined.reserveCapacity(pieces.reduce(0) { $0 + $1.readableBytes })
        for piece in pieces { joined.writeImmutableBuffer(piece) }
        return joined
    }
}
