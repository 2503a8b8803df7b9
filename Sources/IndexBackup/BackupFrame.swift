import Cryptography
package import Metadata

/// One blob of the backup: a segment of the journal, a part of a snapshot, or what is known of the stores.
///
/// Big-endian: magic (4 bytes), format version (2), kind (1), flags (1), base (8), last (8), number (4), count (4),
/// the SHA-256 of the frame before it (32, zeros where there is none), the payload's length (4), the payload, and the
/// SHA-256 of all that (32).
package struct BackupFrame: Sendable, Hashable {
    package enum Kind: UInt8, Sendable {
        case journal = 1
        case snapshot = 2
        /// What the index knows of the stores.
        case members = 3
    }

    package var kind: Kind
    /// Of a snapshot: this is its last part.
    package var isFinal = false
    /// Of a journal's segment: the commit before its first. Of a snapshot's part: the snapshot's commit.
    package var base: CommitVersion
    /// Of a journal's segment: its last commit. Of a snapshot's part: as `base`.
    package var last: CommitVersion
    /// Of a snapshot's part: its number, from 0. Of a segment: 0.
    package var number: UInt32 = 0
    /// Changes or entries in the payload.
    package var count: UInt32
    /// The digest of the frame before this one.
    package var previous: [UInt8]
    package var payload: [UInt8]

    static let digestLength = 32
    static let noDigest = [UInt8](repeating: 0, count: digestLength)
    private static let magic = Array("TGIB".utf8)
    private static let formatVersion: UInt16 = 1
    private static let headerLength = 68
    /// Bytes of the longest frame that is read: a page of changes ends after 8 MiB, with at most one transaction of
    /// 16 MiB more.
    static let lengthLimit = 40 << 20

    /// The bytes of the frame, which end with its digest.
    package func encode() -> [UInt8] {
        var bytes = ByteWriter()
        bytes.bytes += Self.magic
        bytes.append(Self.formatVersion)
        bytes.append(kind.rawValue)
        bytes.append(UInt8(isFinal ? 1 : 0))
        bytes.append(base)
        bytes.append(last)
        bytes.append(number)
        bytes.append(count)
        bytes.bytes += previous
        bytes.append(UInt32(payload.count))
        bytes.bytes += payload
        bytes.bytes += Digest.hash(.sha256, bytes.bytes)
        return bytes.bytes
    }

    /// The digest of encoded bytes.
    static func digest(of encoded: [UInt8]) -> [UInt8] { Array(encoded.suffix(digestLength)) }

    /// Reads and checks what `encode` gives; nil for anything else.
    package init?(_ encoded: [UInt8]) {
        guard encoded.count >= Self.headerLength + Self.digestLength else { return nil }
        let body = Array(encoded.dropLast(Self.digestLength))
        guard Digest.hash(.sha256, body) == Self.digest(of: encoded) else { return nil }
        var reader = ByteReader(body)
        guard reader.take(4) == Self.magic, reader.number(UInt16.self) == Self.formatVersion,
            let kind = reader.number(UInt8.self).flatMap(Kind.init), let flags = reader.number(UInt8.self), flags <= 1,
            let base = reader.number(UInt64.self), let last = reader.number(UInt64.self),
            let number = reader.number(UInt32.self), let count = reader.number(UInt32.self),
            let previous = reader.take(Self.digestLength), let length = reader.number(UInt32.self),
            let payload = reader.take(Int(length)), reader.isAtEnd
        else { return nil }
        self.init(
            kind: kind, isFinal: flags == 1, base: base, last: last, number: number, count: count, previous: previous,
            payload: payload)
    }

    package init(
        kind: Kind, isFinal: Bool = false, base: CommitVersion, last: CommitVersion, number: UInt32 = 0, count: UInt32,
        previous: [UInt8], payload: [UInt8]
    ) {
        (self.kind, self.isFinal, self.base, self.last) = (kind, isFinal, base, last)
        (self.number, self.count, self.previous, self.payload) = (number, count, previous, payload)
    }
}

extension BackupFrame {
    /// A segment of the journal.
    package init(changes: [Change], base: CommitVersion, previous: [UInt8]) {
        var payload = ByteWriter()
        for change in changes {
            let mutations = MutationCoding.encode(change.mutations)
            payload.append(change.version)
            payload.append(UInt32(mutations.count))
            payload.bytes += mutations
        }
        self.init(
            kind: .journal, base: base, last: changes.last?.version ?? base, count: UInt32(changes.count),
            previous: previous, payload: payload.bytes)
    }

    /// The changes of a segment, or nil where the payload is malformed.
    package func changes() -> [Change]? {
        var reader = ByteReader(payload)
        var changes: [Change] = []
        for _ in 0..<count {
            guard let version = reader.number(UInt64.self), version > changes.last?.version ?? base, version <= last,
                let length = reader.number(UInt32.self), let encoded = reader.take(Int(length)),
                let mutations = MutationCoding.decode(encoded)
            else { return nil }
            changes.append(Change(version: version, mutations: mutations))
        }
        return reader.isAtEnd ? changes : nil
    }

    /// The bytes of entries, for the payload of a snapshot's part.
    static func append(_ entry: Entry, to payload: inout ByteWriter) {
        payload.append(entry.version)
        payload.append(UInt16(entry.key.count))
        payload.bytes += entry.key
        payload.append(UInt32(entry.value.count))
        payload.bytes += entry.value
    }

    /// The entries of a snapshot's part, or nil where the payload is malformed.
    package func entries() -> [Entry]? {
        var reader = ByteReader(payload)
        var entries: [Entry] = []
        for _ in 0..<count {
            guard let version = reader.number(UInt64.self), let keyLength = reader.number(UInt16.self),
                let key = reader.take(Int(keyLength)), let length = reader.number(UInt32.self),
                let value = reader.take(Int(length))
            else { return nil }
            entries.append(Entry(key: key, value: value, version: version))
        }
        return reader.isAtEnd ? entries : nil
    }
}
