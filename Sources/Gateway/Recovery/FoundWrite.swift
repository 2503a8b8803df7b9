import Metadata
import Pools
import Primitives
import Storage

/// A write whose bytes lie in the stores, as a footer tells of it.
struct FoundWrite: Sendable {
    var record: RecoveryRecord
    var moment: RecoveryRecord.Moment
    /// The blob that ends with its bytes; they begin there, unless the record names earlier blobs.
    var blob: BlobLocator
    var offset: Int64
    var length: Int64

    /// The order in which writes of one key are made again.
    ///
    /// Of two writes of a process, the second of which began once the first was acknowledged, the second has seen the
    /// first one's commit. Processes follow one another, and each has an epoch of its own. Where two went on at once,
    /// either order is right; the one whose body ended first comes first, as it most likely did.
    static func comesBefore(_ left: FoundWrite, _ right: FoundWrite) -> Bool {
        let (one, other) = (left.blob.name, right.blob.name)
        if one.epoch != other.epoch { return one.epoch < other.epoch }
        if left.moment.after != right.moment.after { return left.moment.after < right.moment.after }
        if left.moment.time != right.moment.time { return left.moment.time < right.moment.time }
        return one == other ? left.offset < right.offset : one < other
    }
}

extension Segment {
    /// A run of bytes of a blob that nothing refers to yet.
    init(_ blob: BlobLocator, offset: Int64, length: Int64, reference: UInt64) {
        self.init(
            blob: blob.name, offset: offset, storedLength: length, plainLength: length, reference: reference,
            location: BlobLocation(blob))
    }
}
