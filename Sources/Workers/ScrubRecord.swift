import Metadata
import Primitives

/// How far the scrub that goes on from one start to the next has come, under `Keys.scrub`.
struct ScrubRecord: Sendable, Hashable {
    /// The last blob that the pass under way has looked at; nil where none is under way.
    var cursor: BlobName?
    /// What that pass has found so far.
    var found = ScrubReport()
    /// When the last pass ended; nil where none has, or one is under way.
    var ended: Timestamp?
    /// When the pass under way began; nil where none is.
    var began: Timestamp?
    /// The last pass that looked at every blob.
    var complete: ScrubPass?

    var encoded: [UInt8] {
        var writer = RecordWriter()
        if let cursor { writer.bytes(1, cursor.bytes) }
        if let ended { writer.number(2, ended.nanoseconds) }
        let counts: [Int64] = [
            Int64(found.blobs), found.bytes, Int64(found.soundShards), Int64(found.damagedShards),
            Int64(found.unreachableShards), Int64(found.damagedBlobs), Int64(found.unreadableBlobs),
            Int64(found.crowdedShards),
        ]
        for (position, count) in counts.enumerated() { writer.number(UInt64(3 + position), count) }
        writer.number(13, found.bytesRead)
        if let began { writer.number(11, began.nanoseconds) }
        if let complete { writer.record(12) { complete.write(to: &$0) } }
        return writer.bytes
    }

    init() {}

    /// - Throws: `malformed`. What an earlier version kept, the bare name of a blob, reads as an empty record or is
    ///   malformed.
    init(encoded: [UInt8]) throws(RecordError) {
        var reader = RecordReader(encoded)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: cursor = BlobName(bytes: value.bytes)
            case 2: ended = Timestamp(nanoseconds: value.signed)
            case 3: found.blobs = Int(clamping: value.signed)
            case 4: found.bytes = value.signed
            case 5: found.soundShards = Int(clamping: value.signed)
            case 6: found.damagedShards = Int(clamping: value.signed)
            case 7: found.unreachableShards = Int(clamping: value.signed)
            case 8: found.damagedBlobs = Int(clamping: value.signed)
            case 9: found.unreadableBlobs = Int(clamping: value.signed)
            case 10: found.crowdedShards = Int(clamping: value.signed)
            case 11: began = Timestamp(nanoseconds: value.signed)
            case 13: found.bytesRead = value.signed
            case 12: complete = try ScrubPass(value.record())
            default: break
            }
        }
    }
}

extension Keys {
    /// How far the scrub has come.
    static let scrub: Key = [0x05, UInt8(ascii: "s")]
}
