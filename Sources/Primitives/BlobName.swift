/// The name of a blob or of a shard of one: writer epoch, counter and random bits, drawn by the writer and never used
/// twice.
///
/// No part of it derives from an S3 key. Names sort by kind, epoch, counter, random, shard index, attempt, which is the
/// order of their text.
package struct BlobName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// What a blob is for, so that a scan of a store can tell data from the index's own backups.
    package enum Kind: UInt8, Sendable, CaseIterable {
        case data = 0
        /// A piece of the journal of index commits.
        case journal = 1
        /// A snapshot of the index.
        case snapshot = 2
        /// Something else of the deployment: a copy of what is known of its stores.
        case control = 3
    }

    /// Which shard of a blob, and which attempt to store it: a retry never meets an earlier one's bytes.
    package struct Shard: Hashable, Sendable {
        package var index: UInt8
        package var attempt: UInt8

        package init(index: UInt8, attempt: UInt8 = 0) {
            (self.index, self.attempt) = (index, attempt)
        }
    }

    package let kind: Kind
    /// The epoch of the gateway that wrote it. Orphans of ended epochs alone are collected.
    package let epoch: UInt32
    package let counter: UInt64
    package let random: UInt32
    /// Nil for a whole blob.
    package let shard: Shard?

    package init(kind: Kind = .data, epoch: UInt32, counter: UInt64, random: UInt32, shard: Shard? = nil) {
        (self.kind, self.epoch, self.counter, self.random, self.shard) = (kind, epoch, counter, random, shard)
    }

    /// The name of one shard of this blob.
    package func shard(_ index: UInt8, attempt: UInt8 = 0) -> BlobName {
        BlobName(
            kind: kind, epoch: epoch, counter: counter, random: random, shard: Shard(index: index, attempt: attempt))
    }

    /// The blob that this is a shard of, or itself.
    package var whole: BlobName {
        BlobName(kind: kind, epoch: epoch, counter: counter, random: random)
    }

    /// 17 bytes for a whole blob, 19 for a shard, big-endian: their order is the order of names.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(19)
        bytes.append(kind.rawValue)
        for shift in stride(from: 24, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: epoch >> shift)) }
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: counter >> shift)) }
        for shift in stride(from: 24, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: random >> shift)) }
        if let shard { bytes += [shard.index, shard.attempt] }
        return bytes
    }

    /// Reads what `bytes` gives; nil for anything else.
    package init?(bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        guard bytes.count == 17 || bytes.count == 19, let kind = Kind(rawValue: bytes[0]) else { return nil }
        self.kind = kind
        epoch = bytes[1..<5].reduce(0) { $0 << 8 | UInt32($1) }
        counter = bytes[5..<13].reduce(0) { $0 << 8 | UInt64($1) }
        random = bytes[13..<17].reduce(0) { $0 << 8 | UInt32($1) }
        shard = bytes.count == 19 ? Shard(index: bytes[17], attempt: bytes[18]) : nil
    }

    /// 34 or 38 lower-case hexadecimal digits.
    package var description: String { Hex.encode(bytes) }

    /// Reads what `description` gives; nil for anything else, upper-case digits included, so that one name has one
    /// text.
    package init?(_ text: some StringProtocol) {
        guard let bytes = Hex.decode(text), let name = BlobName(bytes: bytes),
            name.description.utf8.elementsEqual(text.utf8)
        else { return nil }
        self = name
    }

    /// The order of `bytes`, without making them: stores sort by it.
    package static func < (left: BlobName, right: BlobName) -> Bool {
        let (first, second) = (left.kind.rawValue, right.kind.rawValue)
        guard first == second else { return first < second }
        guard left.epoch == right.epoch else { return left.epoch < right.epoch }
        guard left.counter == right.counter else { return left.counter < right.counter }
        guard left.random == right.random else { return left.random < right.random }
        guard let other = right.shard else { return false }
        return left.shard.map { ($0.index, $0.attempt) < (other.index, other.attempt) } ?? true
    }
}
