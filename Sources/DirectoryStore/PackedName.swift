package import Primitives

/// A blob's name in 24 bytes that compare fast, in the order of names.
package struct PackedName: Hashable, Comparable, Sendable {
    /// Kind and epoch.
    package let high: UInt64
    package let counter: UInt64
    /// Random bits, then whether it is a shard's, then the shard's index and attempt.
    package let low: UInt64

    package init(_ name: BlobName) {
        high = UInt64(name.kind.rawValue) << 32 | UInt64(name.epoch)
        counter = name.counter
        let shard = name.shard.map { 1 << 16 | UInt64($0.index) << 8 | UInt64($0.attempt) } ?? 0
        low = UInt64(name.random) << 17 | shard
    }

    package init(high: UInt64, counter: UInt64, low: UInt64) {
        (self.high, self.counter, self.low) = (high, counter, low)
    }

    /// The name; nil where the kind is none that we know.
    package var name: BlobName? {
        guard let kind = BlobName.Kind(rawValue: UInt8(truncatingIfNeeded: high >> 32)), high >> 40 == 0 else {
            return nil
        }
        let isShard = low & (1 << 16) != 0
        return BlobName(
            kind: kind, epoch: UInt32(truncatingIfNeeded: high), counter: counter,
            random: UInt32(truncatingIfNeeded: low >> 17),
            shard: isShard
                ? BlobName.Shard(
                    index: UInt8(truncatingIfNeeded: low >> 8), attempt: UInt8(truncatingIfNeeded: low)) : nil)
    }

    package static func < (left: PackedName, right: PackedName) -> Bool {
        (left.high, left.counter, left.low) < (right.high, right.counter, right.low)
    }
}
