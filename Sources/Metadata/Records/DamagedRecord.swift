package import Primitives

/// A blob with shards to repair, under `Keys.damaged`.
package struct DamagedRecord: Sendable, Hashable {
    /// Shards that are to be written anew at once, a bit each: they are missing or corrupt, or to move.
    package var broken: UInt64
    /// Of the broken ones those that are right, every byte of them, and are only to move.
    package var misplaced: UInt64 = 0
    /// Shards whose store did not answer, a bit each. They may be whole.
    package var unreachable: UInt64
    /// When the first of them was reported.
    package var reported: Timestamp
    /// Repairs that were tried in vain, and when the next one may be.
    package var attempts: UInt64
    package var notBefore: Timestamp

    package init(broken: UInt64, unreachable: UInt64 = 0, reported: Timestamp) {
        (self.broken, self.unreachable, self.reported) = (broken, unreachable, reported)
        (attempts, notBefore) = (0, Timestamp(nanoseconds: 0))
    }

    /// The row that the commit of a new blob puts beside it: nil where every shard found a store.
    ///
    /// - Parameter now: When the blob was written.
    package init?(missingIn location: BlobLocation, now: Timestamp) {
        let broken = location.exceptions.reduce(UInt64(0)) { mask, exception in
            exception.store == nil && exception.index < 64 ? mask | 1 << UInt64(exception.index) : mask
        }
        guard broken != 0 else { return nil }
        self.init(broken: broken, reported: now)
    }

    /// The shards that are missing or corrupt, a bit each.
    package var lost: UInt64 { broken & ~misplaced }

    /// How many shards are, or may be, lost.
    package var missing: Int { (lost | unreachable).nonzeroBitCount }

    /// The indexes of the shards that are named.
    package var shards: [UInt8] {
        (UInt8(0)..<64).filter { (broken | unreachable) >> UInt64($0) & 1 == 1 }
    }

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.number(1, broken)
        writer.number(2, unreachable)
        writer.number(3, reported.nanoseconds)
        writer.number(4, attempts)
        writer.number(5, notBefore.nanoseconds)
        writer.number(6, misplaced)
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        self.init(broken: 0, reported: Timestamp(nanoseconds: 0))
        var reader = RecordReader(encoded)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: broken = value.number
            case 2: unreachable = value.number
            case 3: reported = Timestamp(nanoseconds: value.signed)
            case 4: attempts = value.number
            case 5: notBefore = Timestamp(nanoseconds: value.signed)
            case 6: misplaced = value.number
            default: break
            }
        }
    }
}
