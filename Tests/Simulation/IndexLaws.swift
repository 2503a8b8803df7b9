import Gateway
package import Metadata
import Primitives
import S3Model

/// What must hold of the index whenever no request is under way: recounted from its entries, without the gateway's code
/// for changing them.
package struct IndexLaws {
    private let entries: [Key: Entry]
    private var references: [Key: Int] = [:]
    package private(set) var violations: [String] = []

    /// - Parameters:
    ///   - committed: every transaction that the index took.
    ///   - epochs: those of gateways, whose commits need records; not those of workers.
    package init(_ index: MemoryIndex, committed: [Transaction], epochs: Set<UInt32>) async throws {
        var entries: [Key: Entry] = [:]
        for entry in try await index.entries(KeyBound([0x01])..<KeyBound([0x05])) {
            entries[entry.key] = entry
        }
        self.entries = entries
        for (key, entry) in entries where key.starts(with: [0x01, UInt8(ascii: "b")]) {
            try check(bucket: BucketRecord(encoded: entry.value))
        }
        checkBlobs()
        for epoch in epochs.sorted() { checkRecords(committed, epoch: epoch) }
    }

    private func room(_ bucket: BucketID, _ letter: Unicode.Scalar) -> [Entry] {
        let prefix = Keys.room(bucket, letter)
        return entries.values.filter { $0.key.starts(with: prefix) }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }

    // MARK: Versions

    private mutating func check(bucket: BucketRecord) throws {
        var keys: [ObjectKey: [(place: Unicode.Scalar, entry: Entry, record: VersionRecord)]] = [:]
        for letter: Unicode.Scalar in ["l", "x", "v"] {
            for entry in room(bucket.id, letter) {
                var rest = entry.key.dropFirst(Keys.roomLength)
                let bytes = letter == "v" ? Keys.takeEscaped(&rest) : Array(rest)
                guard let key = bytes.flatMap({ ObjectKey($0) }) else {
                    violations.append("an entry has no key")
                    continue
                }
                keys[key, default: []].append((letter, entry, try VersionRecord(entry)))
            }
        }
        var (bytes, objects): (Int64, Int64) = (0, 0)
        for (key, versions) in keys {
            for version in versions where !version.record.isDeleteMarker {
                bytes += version.record.size
                objects += 1
                try refer(to: version.record, key, bucket.id)
            }
            check(key, versions.map { ($0.place, $0.record) })
            checkNull(key, versions.map { ($0.place, $0.record) }, bucket.id)
        }
        expect(count(Keys.usage(bucket.id, .bytes)) == bytes, "the bytes of a bucket do not recount")
        expect(count(Keys.usage(bucket.id, .objects)) == objects, "the objects of a bucket do not recount")
        try checkUploads(bucket.id)
        let manifests = room(bucket.id, "m").count
        let wanted = keys.values.joined().count { $0.record.hasManifest }
        expect(manifests == wanted, "\(manifests) manifests for \(wanted) versions")
    }

    private mutating func check(_ key: ObjectKey, _ versions: [(Unicode.Scalar, VersionRecord)]) {
        let current = versions.filter { $0.0 != "v" }
        expect(current.count == 1, "\(key) has \(current.count) current versions and \(versions.count) in all")
        for (place, record) in versions {
            expect(record.isDeleteMarker == (place == "x") || place == "v", "\(key) stands in the wrong room")
            guard place == "v", let current = current.first?.1 else { continue }
            expect(record.sequence < current.sequence, "\(key) has a noncurrent version that is newer")
        }
        expect(Set(versions.map(\.1.sequence)).count == versions.count, "two versions of \(key) have one sequence")
    }

    private mutating func checkNull(
        _ key: ObjectKey, _ versions: [(Unicode.Scalar, VersionRecord)], _ bucket: BucketID
    ) {
        let null = versions.filter { $0.1.isNull }
        expect(null.count <= 1, "\(key) has \(null.count) null versions")
        let pointer = entries[Keys.nullPointer(bucket, key)].map { Keys.number($0.value) }
        let noncurrent = null.first { $0.0 == "v" }?.1.sequence
        expect(pointer == noncurrent, "the pointer to the null version of \(key) is wrong")
    }

    private mutating func refer(to record: VersionRecord, _ key: ObjectKey, _ bucket: BucketID) throws {
        var record = record
        if record.hasManifest {
            guard let entry = entries[Keys.manifest(bucket, key, uid: record.uid)] else {
                violations.append("a version of \(key) has no manifest")
                return
            }
            let manifest = try ManifestRecord(encoded: entry.value)
            (record.segments, record.parts) = (manifest.segments, manifest.parts)
        }
        expect(
            record.segments.reduce(0) { $0 + $1.plainLength } == record.size, "the segments of \(key) miss bytes")
        expect(record.parts.count == record.partCount, "the parts of \(key) are not all there")
        refer(to: record.segments, from: ReferenceOwner.encoded(bucket, key))
    }

    private mutating func checkUploads(_ bucket: BucketID) throws {
        var parts = 0
        for entry in room(bucket, "u") {
            var rest = entry.key.dropFirst(Keys.roomLength)
            let key = Keys.takeEscaped(&rest).flatMap { ObjectKey($0) }
            guard let key, let id = UploadID(bytes: Array(rest)) else {
                violations.append("an upload has no key")
                continue
            }
            let record = try UploadRecord(encoded: entry.value)
            let prefix = Keys.parts(bucket, id)
            let rows = entries.values.filter { $0.key.starts(with: prefix) }
            expect(record.state == .open || rows.isEmpty, "a completed upload has parts")
            parts += rows.count
            for row in rows {
                let part = try PartRecord(encoded: row.value)
                refer(to: part.segments, from: ReferenceOwner.encoded(bucket, key))
            }
        }
        expect(room(bucket, "q").count == parts, "there are parts without an upload")
    }

    // MARK: Blobs

    private mutating func refer(to segments: [Segment], from owner: [UInt8]) {
        for segment in segments {
            let key = Keys.reference(segment.blob, segment.reference)
            references[key, default: 0] += 1
            expect(entries[key]?.value == owner, "a segment has no reference, or another one's")
            expect(entries[Keys.blob(segment.blob)] != nil, "a segment's blob is not known")
        }
    }

    private mutating func checkBlobs() {
        for (key, times) in references where times > 1 {
            violations.append("\(times) segments share the reference \(key)")
        }
        for key in entries.keys where key.starts(with: [0x03, UInt8(ascii: "r")]) && references[key] == nil {
            violations.append("a reference of nobody holds a blob")
        }
        for key in entries.keys where key.starts(with: [0x03, UInt8(ascii: "b")]) {
            guard let name = Keys.blobName(key) else { continue }
            let prefix = Keys.references(name)
            let isWanted = references.keys.contains { $0.starts(with: prefix) }
            expect(isWanted || entries[Keys.trash(name)] != nil, "a blob that nothing refers to is not on the trash")
        }
    }

    // MARK: Records

    /// No change without its record in the same commit, but for giving up bytes that nothing referred to.
    private mutating func checkRecords(_ committed: [Transaction], epoch: UInt32) {
        let changes = committed.filter { transaction in
            transaction.id.epoch == epoch && transaction.mutations.contains { !$0.key.starts(with: [0x03]) }
        }
        for transaction in changes {
            let hasRecord = transaction.mutations.contains { mutation in
                if case .put(let key, _) = mutation { key.starts(with: Keys.outbox(epoch: epoch)) } else { false }
            }
            expect(hasRecord, "a commit has no record")
            expect(
                transaction.conditions.contains(.present(Keys.epoch(epoch))), "a commit does not depend on its epoch")
        }
    }

    private func count(_ key: Key) -> Int64 {
        entries[key].map { Counter.decode($0.value) ?? -1 } ?? 0
    }

    private mutating func expect(_ holds: Bool, _ violation: String) {
        if !holds { violations.append(violation) }
    }
}

extension Mutation {
    /// What it changes.
    package var key: Key {
        switch self {
        case .put(let key, _), .create(let key, _), .remove(let key), .add(let key, _): key
        }
    }
}

extension MetadataIndex {
    /// Every entry of a range.
    package func entries(_ range: Range<KeyBound>) async throws -> [Entry] {
        var (found, from): ([Entry], KeyBound) = ([], range.lowerBound)
        while true {
            let page = try await scan(Scan(from..<range.upperBound, limit: 10_000))
            found += page.entries
            guard let next = page.next else { return found }
            from = KeyBound(next)
        }
    }
}
