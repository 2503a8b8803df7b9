import Cryptography
import Gateway
import IndexBackup
import Metadata
import Pools
import Primitives
import S3Model

/// What the index and its backup are made of.
extension FuzzTarget {
    /// A record of the index. The first byte chooses which.
    static let metadataRecord = FuzzTarget("metadata-record") {
        try RecordExamples.all()
    } run: { bytes in
        var reader = InputReader(bytes)
        let choice = Int(reader.byte()) % RecordKinds.all.count
        return try RecordKinds.all[choice](Array(reader.rest))
    }

    /// Keys of the index: whatever is escaped comes back, and keeps its order.
    static let indexKey = FuzzTarget("index-key") {
        [Example("zeros", [3, 0, 1, 0] + [0x61, 0, 0xFF, 0, 1]), Example("plain", [1, 0x61, 0x62, 0x63])]
    } run: { bytes in
        var reader = InputReader(bytes)
        let count = Int(reader.byte())
        let (left, right) = (reader.take(count), Array(reader.rest))
        let (first, second) = (Keys.escaped(left), Keys.escaped(right))
        var rest = (first + second)[...]
        try require(Keys.takeEscaped(&rest) == left && Keys.takeEscaped(&rest) == right && rest.isEmpty, "another key")
        try require(
            left.lexicographicallyPrecedes(right) == first.lexicographicallyPrecedes(second), "another order of keys")
        try require(left == right || !second.starts(with: first), "a key that is the beginning of another")
        var wild = bytes[...]
        guard let key = Keys.takeEscaped(&wild) else { return false }
        try require(Keys.escaped(key) + wild == bytes, "an escaped key with a second form")
        return true
    }

    static let mutations = FuzzTarget("mutations") {
        let mutations: [Metadata.Mutation] = [
            .put([1, 2], [3]), .create([4], []), .remove([5, 6, 7]), .add([8], -9),
        ]
        return [
            Example("each", MutationCoding.encode(mutations)),
            Example("cut", MutationCoding.encode(mutations).dropLast()),
        ]
    } run: { bytes in
        guard let mutations = MutationCoding.decode(bytes) else { return false }
        try require(MutationCoding.encode(mutations) == bytes, "mutations with a second form")
        return true
    }

    /// A frame of the index's backup; where the first byte is odd, its digest is put right.
    static let backupFrame = FuzzTarget("backup-frame") {
        let changes = [Change(version: 8, mutations: [.remove([1])]), Change(version: 9, mutations: [.put([2], [3])])]
        let journal = BackupFrame(changes: changes, base: 7, previous: [UInt8](repeating: 1, count: 32))
        let snapshot = BackupFrame(
            kind: .snapshot, isFinal: true, base: 9, last: 9, number: 2, count: 1,
            previous: [UInt8](repeating: 0, count: 32), payload: [0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 5, 0, 0, 0, 1, 6])
        return [
            Example("journal", [1] + journal.encode().dropLast(32)),
            Example("snapshot", [1] + snapshot.encode().dropLast(32)), Example("sound", [0] + journal.encode()),
            Example("damaged", [0] + journal.encode().dropLast()),
        ]
    } run: { bytes in
        var reader = InputReader(bytes)
        let isSealed = reader.byte() & 1 == 1
        let body = Array(reader.rest)
        let encoded = isSealed ? body + Digest.hash(.sha256, body) : body
        guard let frame = BackupFrame(encoded) else { return false }
        try require(frame.encode() == encoded, "a frame with a second form")
        if frame.kind == .journal, let changes = frame.changes(), frame.number == 0, !frame.isFinal,
            frame.last == changes.last?.version ?? frame.base
        {
            let again = BackupFrame(changes: changes, base: frame.base, previous: frame.previous)
            try require(again == frame, "changes that are written otherwise")
        }
        if frame.kind == .snapshot, let entries = frame.entries() {
            try require(entries.count == Int(frame.count), "another number of entries")
        }
        return true
    }

    /// The record in the footer of a pack.
    static let packRecord = FuzzTarget("pack-record") {
        let entries = [
            PackRecord.Entry(offset: 0, length: 5, recovery: [1, 2]),
            PackRecord.Entry(offset: 5, length: 0, recovery: []),
        ]
        let bytes = PackRecord(entries: entries).encoded
        return [
            Example("two", bytes), Example("none", PackRecord(entries: []).encoded), Example("cut", bytes.dropLast()),
        ]
    } run: { bytes in
        guard let record = PackRecord(decoding: bytes) else { return false }
        try require(record.encoded == bytes, "a record with a second form")
        return true
    }
}

/// Reads a record of each kind, and again once it was written. The checks return whether the bytes were one.
private enum RecordKinds {
    static let all: [@Sendable ([UInt8]) throws -> Bool] = [
        { try check($0, { bytes throws(RecordError) in try VersionRecord(encoded: bytes) }, \.encoded) },
        { try check($0, { bytes throws(RecordError) in try UploadRecord(encoded: bytes) }, \.encoded) },
        { try check($0, { bytes throws(RecordError) in try PartRecord(encoded: bytes) }, \.encoded) },
        { try check($0, { bytes throws(RecordError) in try ManifestRecord(encoded: bytes) }, \.encoded) },
        { try check($0, { bytes throws(RecordError) in try BucketRecord(encoded: bytes) }, \.encoded) },
        { try check($0, { bytes throws(RecordError) in try BlobRecord(encoded: bytes) }, \.encoded) },
        { try check($0, { bytes throws(RecordError) in try TrashRecord(encoded: bytes) }, \.encoded) },
        { try check($0, { bytes throws(RecordError) in try DamagedRecord(encoded: bytes) }, \.encoded) },
        { try check($0, { bytes throws(RecordError) in try EpochRecord(encoded: bytes) }, \.encoded) },
        { try check($0, { bytes throws(RecordError) in try DeploymentRecord(encoded: bytes) }, \.encoded) },
        { try check($0, { bytes throws(RecordError) in try OutboxRecord(encoded: bytes) }, \.encoded) },
        { try check($0, { bytes throws(RecordError) in try PublicAccessRecord(encoded: bytes) }, \.encoded) },
        { try check($0, { bytes throws(RecordError) in try RecoveredRecord(encoded: bytes) }, \.encoded) },
        { try check($0, { bytes throws(RecordError) in try StoreRecord(encoded: bytes) }, \.encoded) },
        { try check($0, { bytes throws(RecordError) in try PlacementRecord(encoded: bytes) }, \.encoded) },
        { try check($0, { bytes throws(RecordError) in try RecoveryRecord(encoded: bytes) }, \.encoded) },
        { try check($0, { bytes throws(RecordError) in try StoreHistoryRecord(encoded: bytes) }, \.encoded) },
        { try check($0, { bytes throws(RecordError) in try RebalanceRecord(encoded: bytes) }, \.encoded) },
    ]

    private static func check<Record: Equatable>(
        _ bytes: [UInt8], _ decode: ([UInt8]) throws(RecordError) -> Record, _ encoded: (Record) -> [UInt8]
    ) throws -> Bool {
        // That the bytes are no record is an answer, and the only one besides a record.
        guard let record = try? decode(bytes) else { return false }
        // Fields that are not known are dropped, and what has two forms takes one: the record is the same.
        let written = encoded(record)
        let again = try require(try? decode(written), "a \(Record.self) cannot be read once written")
        try require(again == record, "a \(Record.self) is read otherwise once written")
        try require(encoded(again) == written, "a \(Record.self) is written otherwise once read")
        return true
    }
}

private enum RecordExamples {
    static func all() throws -> [FuzzTarget.Example] {
        let blob = BlobName(epoch: 1, counter: 2, random: 3)
        let location = BlobLocation(
            length: 9, dataShards: 4, parityShards: 2, cellSize: 64, placementEpoch: 1,
            exceptions: [.init(index: 1, store: 7, attempt: 2), .init(index: 2, store: nil, attempt: 0)])
        var version = VersionRecord()
        (version.sequence, version.uid, version.size, version.etag) = (5, 6, 9, "e")
        version.headers = ["content-type": "a/b"]
        version.metadata = ["a": "\u{e9}"]
        version.tags = [ObjectTag(key: "k", value: "v")]
        version.segments = [
            Segment(blob: blob, offset: 0, storedLength: 9, plainLength: 9, reference: 4, location: location)
        ]
        version.recovered = Timestamp(seconds: 5)
        var upload = UploadRecord()
        upload.template = version
        upload.result = .init(etag: "e", uid: 1, isNull: false, checksum: nil, completed: Timestamp(seconds: 1))
        let key = try require(ObjectKey("k"), "a key")
        var recovery = RecoveryRecord(
            bucketName: "b", bucket: BucketID(8), key: key, version: version,
            upload: UploadID(started: Timestamp(seconds: 1), random: 2), partNumber: 3)
        recovery.moment = .init(after: 4, time: Timestamp(seconds: 5))
        recovery.earlier = [blob]
        recovery.preconditions.ifMatch = ["a"]
        let deployment = try require(
            DeploymentRecord(id: [UInt8](repeating: 1, count: 16), created: Timestamp(seconds: 1)), "a deployment")
        var history = StoreHistoryRecord(since: Timestamp(seconds: 1))
        history.outages.add(.seconds(2))
        history.losses = 3
        return [
            .init("version", [0] + version.encoded), .init("upload", [1] + upload.encoded),
            .init("blob", [5] + BlobRecord(location: location).encoded),
            .init("trash", [6] + TrashRecord(state: .condemned, location: location).encoded),
            .init("epoch", [8] + EpochRecord(node: "n", started: Timestamp(seconds: 1), nonce: 2).encoded),
            .init("deployment", [9] + deployment.encoded), .init("recovery", [15] + recovery.encoded),
            .init("history", [16] + history.encoded), .init("cut", [15] + recovery.encoded.dropLast()),
        ]
    }
}
