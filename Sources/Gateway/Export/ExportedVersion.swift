import Erasure
import Metadata
import Pools
import Primitives
import S3Model

/// A version of an object as a line of a manifest tells of it. The page Formats has the members.
struct ExportedVersion {
    let bucket: String
    let key: ObjectKey
    let version: StoredVersion
    let isCurrent: Bool
    /// Where the bytes are, in order: each run with the shards of its blob.
    var runs: [Run] = []

    /// A segment, and where its bytes are now.
    struct Run {
        enum Place {
            /// In the shards of a blob.
            case shards(BlobLocator, [ShardHome])
            /// In an object of an adopted bucket.
            case adopted(ForeignPlace, SourceRecord)
        }

        var segment: Segment
        var place: Place
    }

    /// The line, without its end. Members are in the order of their names.
    func line(_ stores: [UInt16: ExportedStore]) -> [UInt8] {
        let record = version.record
        var writer = JSONWriter(capacity: 512 + 1024 * runs.count)
        writer.beginObject()
        writer.text("bucket", bucket)
        if let checksum = record.checksum { Self.write(checksum, to: &writer) }
        writer.name("current")
        writer.bool(isCurrent)
        writer.name("deleteMarker")
        writer.bool(record.isDeleteMarker)
        if !record.isDeleteMarker { writer.text("etag", record.etag) }
        writer.texts("headers", record.headers)
        writer.text("key", key.description)
        writer.texts("metadata", record.metadata)
        writer.text("modified", record.modified.iso8601)
        if !record.parts.isEmpty { Self.write(record.parts, to: &writer) }
        if let recovered = record.recovered { writer.text("recovered", recovered.iso8601) }
        writer.name("segments")
        writer.beginArray()
        for run in runs { Self.write(run, stores, to: &writer) }
        writer.endArray()
        writer.name("size")
        writer.integer(record.size)
        if let storageClass = record.storageClass { writer.text("storageClass", storageClass) }
        writer.texts("tags", Dictionary(record.tags.map { ($0.key, $0.value) }) { _, last in last })
        writer.text("versionId", version.id.description)
        writer.endObject()
        return writer.bytes
    }

    private static func write(_ checksum: StoredChecksum, to writer: inout JSONWriter) {
        writer.name("checksum")
        writer.beginObject()
        writer.text("algorithm", checksum.algorithm)
        writer.name("composite")
        writer.bool(checksum.isComposite)
        writer.text("value", Base64.encode(checksum.value))
        writer.endObject()
    }

    private static func write(_ parts: [StoredPart], to writer: inout JSONWriter) {
        writer.name("parts")
        writer.beginArray()
        for part in parts {
            writer.beginObject()
            if !part.checksum.isEmpty { writer.text("checksum", Base64.encode(part.checksum)) }
            writer.name("number")
            writer.integer(Int64(part.number))
            writer.name("size")
            writer.integer(part.size)
            writer.endObject()
        }
        writer.endArray()
    }

    private static func write(_ run: Run, _ stores: [UInt16: ExportedStore], to writer: inout JSONWriter) {
        switch run.place {
        case .shards(let locator, let homes): write(run.segment, locator, homes, stores, to: &writer)
        case .adopted(let place, let source): write(run.segment, place, source, to: &writer)
        }
    }

    private static func write(
        _ segment: Segment, _ place: ForeignPlace, _ source: SourceRecord, to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.name("adopted")
        writer.beginObject()
        writer.text("bucket", source.backend.bucket)
        writer.text("etag", place.etag)
        writer.text("key", String(decoding: place.key, as: UTF8.self))
        writer.text("url", source.backend.url)
        writer.endObject()
        writer.number("length", segment.storedLength)
        writer.number("offset", place.offset)
        writer.endObject()
    }

    private static func write(
        _ segment: Segment, _ locator: BlobLocator, _ homes: [ShardHome], _ stores: [UInt16: ExportedStore],
        to writer: inout JSONWriter
    ) {
        let geometry = locator.geometry
        writer.beginObject()
        writer.text("blob", locator.name.description)
        writer.number("blobLength", locator.length)
        writer.number("cellSize", Int64(geometry.cellSize))
        writer.number("dataShards", Int64(geometry.dataShards))
        writer.number("length", segment.storedLength)
        writer.number("offset", segment.offset)
        writer.number("parityShards", Int64(geometry.parityShards))
        writer.name("shards")
        writer.beginArray()
        for home in homes {
            // A shard that no store took is nowhere.
            guard let position = home.store.flatMap({ UInt16(exactly: $0) }), let store = stores[position] else {
                continue
            }
            writer.beginObject()
            writer.number("index", Int64(home.index))
            writer.text(store.member, store.place(home.name(of: locator.name)))
            writer.number("store", Int64(position))
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }
}

extension JSONWriter {
    fileprivate mutating func text(_ name: String, _ text: String) {
        self.name(name)
        string(text)
    }

    fileprivate mutating func number(_ name: String, _ number: Int64) {
        self.name(name)
        integer(number)
    }

    fileprivate mutating func texts(_ name: String, _ texts: [String: String]) {
        guard !texts.isEmpty else { return }
        self.name(name)
        beginObject()
        for (name, value) in texts.sorted(by: { JSON.precedes($0.key, $1.key) }) { text(name, value) }
        endObject()
    }
}
