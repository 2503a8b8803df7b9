import Erasure
package import Metadata
package import Pools
import Primitives

/// Tells of every version of every object what it takes to rebuild it from its shards, a line each.
///
/// No more than a page of the index and one version are held at once.
package struct ObjectExport: Sendable {
    /// Which objects are told of.
    package struct Selection: Sendable {
        /// Names of buckets; none for every bucket.
        package var buckets: [String] = []
        /// What keys begin with.
        package var prefix: [UInt8] = []

        package init(buckets: [String] = [], prefix: [UInt8] = []) {
            (self.buckets, self.prefix) = (buckets, prefix)
        }
    }

    /// What was told of.
    package struct Count: Sendable, Hashable {
        package var versions = 0
        package var bytes: Int64 = 0
    }

    private static let rowsAtOnce = 256
    /// Blobs whose records are read at once.
    private static let blobsAtOnce = 4096

    private let index: any ReadableIndex
    private let placements: [Placement]
    private let stores: [UInt16: ExportedStore]

    /// - Parameters:
    ///   - index: as of one moment.
    ///   - placements: every list by which blobs were placed, the current one last.
    ///   - stores: by position.
    package init(_ index: any ReadableIndex, _ placements: [Placement], stores: [UInt16: ExportedStore]) {
        (self.index, self.placements, self.stores) = (index, placements, stores)
    }

    /// Writes the lines of objects, each with its end.
    ///
    /// - Throws: `index`, `malformed`, `noSuchBucket`, and what `write` throws.
    package func write(
        _ selection: Selection, to write: (_ line: [UInt8]) throws(ExportError) -> Void
    ) async throws(ExportError) -> Count {
        var count = Count()
        for (name, bucket) in try await buckets(selection) {
            for room in Room.allCases {
                var next: Range<KeyBound>? = .prefix(room.start(bucket, selection.prefix))
                while let range = next {
                    let page = try await page(Scan(range, limit: Self.rowsAtOnce))
                    next = page.next.map { .keys(from: $0, below: range.upperBound.key) }
                    for entry in page.entries {
                        let version = try await version(entry, room, of: bucket, name)
                        try write(version.line(stores) + [UInt8(ascii: "\n")])
                        count.versions += 1
                        count.bytes += version.version.record.size
                    }
                }
            }
        }
        return count
    }

    /// Where versions stand in the index.
    private enum Room: Unicode.Scalar, CaseIterable {
        case live = "l"
        case noncurrent = "v"
        case currentMarker = "x"

        /// What every key of the room begins with whose object's key begins with a prefix.
        func start(_ bucket: BucketID, _ prefix: [UInt8]) -> Key {
            Keys.room(bucket, rawValue) + (self == .noncurrent ? Keys.escapedPrefix(prefix) : prefix)
        }

        func objectKey(_ key: Key) -> ObjectKey? {
            var rest = key[Keys.roomLength...]
            guard self == .noncurrent else { return ObjectKey(Array(rest)) }
            return Keys.takeEscaped(&rest).flatMap { ObjectKey($0) }
        }
    }

    private func buckets(_ selection: Selection) async throws(ExportError) -> [(String, BucketID)] {
        var found: [(String, BucketID)] = []
        var next: Range<KeyBound>? = Keys.buckets()
        while let range = next {
            let page = try await page(Scan(range, limit: Self.rowsAtOnce))
            next = page.next.map { .keys(from: $0, below: range.upperBound.key) }
            for entry in page.entries {
                let record = try Self.parsed(entry.key) { () throws(RecordError) in
                    try BucketRecord(encoded: entry.value)
                }
                found.append((Keys.bucketName(entry.key), record.id))
            }
        }
        guard !selection.buckets.isEmpty else { return found }
        return try selection.buckets.map { name throws(ExportError) in
            guard let bucket = found.first(where: { $0.0.utf8.elementsEqual(name.utf8) }) else {
                throw .noSuchBucket(name)
            }
            return bucket
        }
    }

    private func version(
        _ entry: Entry, _ room: Room, of bucket: BucketID, _ name: String
    ) async throws(ExportError) -> ExportedVersion {
        guard let key = room.objectKey(entry.key) else { throw .malformed(entry.key) }
        var record = try Self.parsed(entry.key) { () throws(RecordError) in try VersionRecord(entry) }
        if record.hasManifest {
            let row = Keys.manifest(bucket, key, uid: record.uid)
            guard let list = try await values([row])[0] else { throw .malformed(entry.key) }
            let whole = try Self.parsed(row) { () throws(RecordError) in try ManifestRecord(encoded: list.value) }
            (record.segments, record.parts) = (whole.segments, whole.parts)
        }
        return ExportedVersion(
            bucket: name, key: key, version: StoredVersion(entry: entry, record: record),
            isCurrent: room != .noncurrent, runs: try await runs(record.segments))
    }

    /// Where the shards of segments are: what a repair moved is in the blob's record alone.
    private func runs(_ segments: [Segment]) async throws(ExportError) -> [ExportedVersion.Run] {
        var runs: [ExportedVersion.Run] = []
        runs.reserveCapacity(segments.count)
        for start in stride(from: 0, to: segments.count, by: Self.blobsAtOnce) {
            let some = segments[start..<min(start + Self.blobsAtOnce, segments.count)]
            let rows = try await values(some.map { Keys.blob($0.blob) })
            for (segment, row) in zip(some, rows) {
                if let place = segment.foreign {
                    let adopted = ExportedVersion.Run.Place.adopted(place, try await source(place.source))
                    runs.append(ExportedVersion.Run(segment: segment, place: adopted))
                } else {
                    runs.append(try run(segment, row))
                }
            }
        }
        return runs
    }

    private func source(_ number: UInt16) async throws(ExportError) -> SourceRecord {
        let key = Keys.source(number)
        guard let row = try await values([key])[0] else { throw .malformed(key) }
        return try Self.parsed(key) { () throws(RecordError) in try SourceRecord(encoded: row.value) }
    }

    private func run(_ segment: Segment, _ row: Entry?) throws(ExportError) -> ExportedVersion.Run {
        var location = segment.location
        if let row {
            location = try Self.parsed(row.key) { () throws(RecordError) in
                try BlobRecord(encoded: row.value).location
            }
        }
        let locator: BlobLocator
        do throws(ErasureError) {
            locator = try location.locator(of: segment.blob)
        } catch {
            throw .malformed(Keys.blob(segment.blob))
        }
        guard let placement = placements.last(where: { $0.epoch == location.placementEpoch }) ?? placements.last else {
            throw .malformed(Keys.placement(location.placementEpoch))
        }
        let positions = (stores.keys.max().map { Int($0) } ?? -1) + 1
        let homes = locator.homes(placement.order(for: locator.name), stores: positions)
        return ExportedVersion.Run(segment: segment, place: .shards(locator, homes))
    }

    private func page(_ scan: Scan) async throws(ExportError) -> Page {
        do throws(MetadataError) { return try await index.scan(scan) } catch { throw .index(error) }
    }

    private func values(_ keys: [Key]) async throws(ExportError) -> [Entry?] {
        do throws(MetadataError) { return try await index.values(of: keys) } catch { throw .index(error) }
    }

    private static func parsed<Value>(
        _ key: Key, _ parse: () throws(RecordError) -> Value
    ) throws(ExportError) -> Value {
        do throws(RecordError) { return try parse() } catch { throw .malformed(key) }
    }
}

/// Why a manifest could not be written.
package enum ExportError: Error, CustomStringConvertible {
    case index(MetadataError)
    /// What stands under a key of the index does not parse.
    case malformed(Key)
    case noSuchBucket(String)
    /// The file took no more; the sentence says why.
    case output(String)

    package var description: String {
        switch self {
        case .index(let error): "The index: \(error)"
        case .malformed(let key): "The index: what stands under the key \(Hex.encode(key)) does not parse."
        case .noSuchBucket(let name): "There is no bucket `\(name)`."
        case .output(let reason): reason
        }
    }
}
