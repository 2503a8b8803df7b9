package import Primitives

/// Where everything stands in the index: the one place that knows the layout of keys.
///
/// ```
/// 01 'b' name                        a bucket
/// 01 'c' bucket kind                 one configuration of a bucket
/// 02 bucket 'l' key                  the current version of a key; never a delete marker
/// 02 bucket 'm' key~ uid             the list of parts of a version, where it is too long for its record
/// 02 bucket 'n' key                  which noncurrent version is the null version
/// 02 bucket 'q' upload part          a part of an upload
/// 02 bucket 's' counter              usage
/// 02 bucket 'u' key~ upload          an upload
/// 02 bucket 'v' key~ ^sequence       noncurrent versions, newest first
/// 02 bucket 'x' key                  the delete marker that is current
/// 03 'b' blob                        a blob
/// 03 'd' blob                        a blob with shards to repair
/// 03 'f' blob                        where bytes of an adopted object lie, in place of a blob
/// 03 'r' blob reference              what refers to a blob
/// 03 't' blob                        a blob that nothing refers to
/// 04 epoch counter                   the audit outbox
/// 05 'd' / 05 'e' epoch              the deployment; its writers' epochs
/// 05 'a' position / 05 'p' epoch     its stores; the lists by which blobs are placed on them
/// 05 'b'                             that shards are to be moved to where the current list has them
/// 05 'f' number                      an adopted bucket
/// 05 'h' position                    what was seen of each store
/// 05 'i' / 05 'k'                    keys and policies, sealed; what the recovery key opens
/// 05 'l' node                        how far the audit log of a gateway went
/// 05 'n' / 05 's'                    the next writer epoch; how far the scrubber is
/// 05 'r'                             that commits of the index may be lost
/// ```
/// Bucket, sequence and uid have 8 bytes, an epoch 4, big-endian. `key~` is the key with its zero bytes escaped, and a
/// terminator that sorts before every continuation. `^` means inverted, so that the greatest comes first.
package enum Keys {
    package static func bucket(_ name: String) -> Key { [0x01, UInt8(ascii: "b")] + name.utf8 }

    /// Every bucket whose name begins with `prefix`.
    package static func buckets(prefix: String = "") -> Range<KeyBound> { .prefix(bucket(prefix)) }

    package static func bucketName(_ key: Key) -> String { String(decoding: key.dropFirst(2), as: UTF8.self) }

    package static func configuration(_ bucket: BucketID, _ kind: BucketConfigurationKind) -> Key {
        [0x01, UInt8(ascii: "c")] + bigEndian(bucket.value) + [kind.rawValue]
    }

    /// Every configuration of a bucket.
    package static func configurations(_ bucket: BucketID) -> Range<KeyBound> {
        .prefix([0x01, UInt8(ascii: "c")] + bigEndian(bucket.value))
    }

    package static func live(_ bucket: BucketID, _ key: ObjectKey) -> Key { room(bucket, "l", key.bytes) }
    package static func currentMarker(_ bucket: BucketID, _ key: ObjectKey) -> Key { room(bucket, "x", key.bytes) }
    package static func nullPointer(_ bucket: BucketID, _ key: ObjectKey) -> Key { room(bucket, "n", key.bytes) }

    package static func version(_ bucket: BucketID, _ key: ObjectKey, sequence: UInt64) -> Key {
        versions(bucket, key) + bigEndian(~sequence)
    }

    /// The prefix of every noncurrent version of a key.
    package static func versions(_ bucket: BucketID, _ key: ObjectKey) -> Key { room(bucket, "v") + escaped(key.bytes) }

    package static func manifest(_ bucket: BucketID, _ key: ObjectKey, uid: UInt64) -> Key {
        room(bucket, "m") + escaped(key.bytes) + bigEndian(uid)
    }

    package static func upload(_ bucket: BucketID, _ key: ObjectKey, _ upload: UploadID) -> Key {
        room(bucket, "u") + escaped(key.bytes) + upload.bytes
    }

    package static func part(_ bucket: BucketID, _ upload: UploadID, _ number: Int) -> Key {
        parts(bucket, upload) + [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
    }

    /// The prefix of every part of an upload.
    package static func parts(_ bucket: BucketID, _ upload: UploadID) -> Key { room(bucket, "q") + upload.bytes }

    package static func usage(_ bucket: BucketID, _ counter: UsageCounter) -> Key {
        room(bucket, "s") + [counter.rawValue]
    }

    /// The prefix of one room of a bucket: `l`, `v`, `x`, `u`, and so on.
    package static func room(_ bucket: BucketID, _ letter: Unicode.Scalar) -> Key { room(bucket, letter, []) }

    private static func room(_ bucket: BucketID, _ letter: Unicode.Scalar, _ rest: [UInt8]) -> Key {
        var key: Key = []
        key.reserveCapacity(roomLength + rest.count)
        key.append(0x02)
        append(bucket.value, to: &key)
        key.append(UInt8(ascii: letter))
        key += rest
        return key
    }

    /// Every room of every bucket.
    package static let rooms: Range<KeyBound> = .prefix([0x02])

    /// Every room of a bucket.
    package static func rooms(_ bucket: BucketID) -> Range<KeyBound> { .prefix([0x02] + bigEndian(bucket.value)) }

    /// The bucket of a key of a room.
    package static func bucket(ofRoom key: Key) -> BucketID { BucketID(number(key.dropFirst().prefix(8))) }

    /// The letter of a key of a room; nil for any other key.
    package static func letter(ofRoom key: Key) -> UInt8? {
        key.first == 0x02 && key.count >= roomLength ? key[roomLength - 1] : nil
    }

    /// The bytes before the key in every key of a room.
    package static let roomLength = 10

    package static func blob(_ name: BlobName) -> Key { [0x03, UInt8(ascii: "b")] + name.whole.bytes }
    package static func damaged(_ name: BlobName) -> Key { [0x03, UInt8(ascii: "d")] + name.whole.bytes }
    package static func foreign(_ name: BlobName) -> Key { [0x03, UInt8(ascii: "f")] + name.whole.bytes }
    package static func trash(_ name: BlobName) -> Key { [0x03, UInt8(ascii: "t")] + name.whole.bytes }
    package static func references(_ name: BlobName) -> Key { [0x03, UInt8(ascii: "r")] + name.whole.bytes }

    package static func reference(_ name: BlobName, _ id: UInt64) -> Key { references(name) + bigEndian(id) }

    /// Every key of one of the rooms of blobs: `b`, `d`, `f`, `r` or `t`.
    package static func blobs(_ letter: Unicode.Scalar) -> Range<KeyBound> { .prefix([0x03, UInt8(ascii: letter)]) }

    /// The blob of a key of the rooms `b`, `d`, `f` and `t`.
    package static func blobName(_ key: Key) -> BlobName? { BlobName(bytes: key.dropFirst(2)) }

    package static func outbox(epoch: UInt32, counter: UInt64) -> Key {
        outbox(epoch: epoch) + bigEndian(counter)
    }

    /// The first byte of every key of the outbox.
    package static let outboxPartition: UInt8 = 0x04

    package static func outbox(epoch: UInt32) -> Key { [outboxPartition] + bigEndian(UInt64(epoch)).suffix(4) }

    /// The whole outbox.
    package static let outbox: Range<KeyBound> = .prefix([outboxPartition])

    package static let deployment: Key = [0x05, UInt8(ascii: "d")]
    package static let epochs: Range<KeyBound> = .prefix([0x05, UInt8(ascii: "e")])
    package static func epoch(_ epoch: UInt32) -> Key {
        [0x05, UInt8(ascii: "e")] + bigEndian(UInt64(epoch)).suffix(4)
    }

    /// That the index may lack commits: nothing of the epochs before that is collected as long as the row is there.
    package static let recovered: Key = [0x05, UInt8(ascii: "r")]

    /// Stands as long as shards are to be moved to where the current list of stores has them.
    package static let rebalance: Key = [0x05, UInt8(ascii: "b")]

    /// The sealing key, sealed for whoever has the recovery key.
    package static let recoveryKey: Key = [0x05, UInt8(ascii: "k")]

    /// Access keys and policies of the configuration, sealed under the sealing key.
    package static let keptAccess: Key = [0x05, UInt8(ascii: "i")]

    /// The number and hash of a record in the audit log of a gateway, so that the log is missed where it is gone.
    package static func auditMark(node: String) -> Key { [0x05, UInt8(ascii: "l")] + node.utf8 }

    /// The store in a position of the pool's list.
    package static func store(_ position: UInt16) -> Key {
        [0x05, UInt8(ascii: "a")] + bigEndian(UInt64(position)).suffix(2)
    }

    /// What was seen of the store in a position.
    package static func storeHistory(_ position: UInt16) -> Key {
        [0x05, UInt8(ascii: "h")] + bigEndian(UInt64(position)).suffix(2)
    }

    package static let storeHistories: Range<KeyBound> = .prefix([0x05, UInt8(ascii: "h")])

    package static let stores: Range<KeyBound> = .prefix([0x05, UInt8(ascii: "a")])

    /// A bucket of another service whose objects are shown in one of ours.
    package static func source(_ number: UInt16) -> Key {
        [0x05, UInt8(ascii: "f")] + bigEndian(UInt64(number)).suffix(2)
    }

    package static let sources: Range<KeyBound> = .prefix([0x05, UInt8(ascii: "f")])

    package static func placement(_ epoch: UInt32) -> Key {
        [0x05, UInt8(ascii: "p")] + bigEndian(UInt64(epoch)).suffix(4)
    }

    /// Stands where no blob may become known any more that was placed by a list: one of its stores was taken away.
    package static func closedPlacement(_ epoch: UInt32) -> Key {
        [0x05, UInt8(ascii: "c")] + bigEndian(UInt64(epoch)).suffix(4)
    }

    package static let placements: Range<KeyBound> = .prefix([0x05, UInt8(ascii: "p")])

    /// The key with its zero bytes escaped (00 → 00 FF) and a terminator (00 01), so that order is kept and no key is a
    /// prefix of another.
    package static func escaped(_ key: [UInt8]) -> [UInt8] {
        escapedPrefix(key) + terminator
    }

    package static let terminator: [UInt8] = [0x00, 0x01]

    /// As `escaped`, without the terminator: what every key with this prefix begins with.
    package static func escapedPrefix(_ prefix: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(prefix.count + 2)
        for byte in prefix {
            bytes.append(byte)
            if byte == 0 { bytes.append(0xFF) }
        }
        return bytes
    }

    /// What `escapedPrefix` was given.
    package static func unescapedPrefix(_ escaped: some Collection<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(escaped.count)
        var isAfterZero = false
        for byte in escaped {
            // The byte after a zero is the escape's.
            if !isAfterZero { bytes.append(byte) }
            isAfterZero = !isAfterZero && byte == 0
        }
        return bytes
    }

    /// Takes an escaped key and its terminator from the front; nil where there is none.
    package static func takeEscaped(_ bytes: inout ArraySlice<UInt8>) -> [UInt8]? {
        var key: [UInt8] = []
        while let byte = bytes.popFirst() {
            guard byte == 0 else {
                key.append(byte)
                continue
            }
            switch bytes.popFirst() {
            case 0x01: return key
            case 0xFF: key.append(0)
            default: return nil
            }
        }
        return nil
    }

    package static func bigEndian(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8)
        append(value, to: &bytes)
        return bytes
    }

    private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    /// Reads up to eight bytes as a big-endian number.
    package static func number(_ bytes: some Collection<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// The id of a bucket: drawn when it is created, so that a bucket made again under the same name is another one.
package struct BucketID: Hashable, Sendable {
    package var value: UInt64

    package init(_ value: UInt64) {
        self.value = value
    }
}

/// The id of a multipart upload: 16 bytes, the time of its start first, so that uploads of one key sort by it.
package struct UploadID: Hashable, Sendable, CustomStringConvertible {
    package var bytes: [UInt8]

    /// An id that begins with a time and ends with random bits.
    package init(started: Timestamp, random: UInt64) {
        bytes = Keys.bigEndian(UInt64(bitPattern: started.milliseconds)) + Keys.bigEndian(random)
    }

    /// Reads 32 hexadecimal digits; nil for anything else.
    package init?(_ text: String) {
        guard text.utf8.count == 32, let bytes = Hex.decode(text) else { return nil }
        self.bytes = bytes
    }

    package init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    package var description: String { Hex.encode(bytes) }
}

/// The kinds of configuration that a bucket has as a record of its own.
package enum BucketConfigurationKind: UInt8, Sendable, CaseIterable {
    case policy = 1
    case tagging = 2
    case publicAccessBlock = 3
}

/// The counters that are kept for each bucket.
package enum UsageCounter: UInt8, Sendable, CaseIterable {
    case bytes = 1
    case objects = 2
}
