import Audit
package import Metadata
package import Primitives

/// Which bytes of blobs the index ever referred to, as far back as its journal is looked at.
///
/// It is what tells an object whose commit was lost from one whose commit was not, and that has been deleted or
/// overwritten since: both stand in the footer of a blob, and neither in the index.
package struct JournalledSegments: Sendable {
    private struct Place: Hashable {
        var blob: BlobName
        var offset: Int64
    }

    private var places: Set<Place> = []
    private var lastRecord: (version: CommitVersion, row: [UInt8])?
    /// Entries of which the record could not be read.
    package private(set) var malformed = 0

    package init() {}

    /// Takes note of what a change puts into the index.
    package mutating func note(_ change: Change) {
        for mutation in change.mutations {
            guard case .put(let key, let value) = mutation else { continue }
            if key.first == Keys.outboxPartition {
                if change.version >= lastRecord?.version ?? 0 { lastRecord = (change.version, value) }
                continue
            }
            do throws(RecordError) {
                for segment in try Self.segments(key, value) {
                    places.insert(Place(blob: segment.blob, offset: segment.offset))
                }
            } catch {
                malformed += 1
            }
        }
    }

    /// The segments that an entry refers to. Versions move between rooms, and their segments with them.
    private static func segments(_ key: Key, _ value: [UInt8]) throws(RecordError) -> [Segment] {
        switch Keys.letter(ofRoom: key) {
        case UInt8(ascii: "l"), UInt8(ascii: "v"): try VersionRecord(encoded: value).segments
        case UInt8(ascii: "q"): try PartRecord(encoded: value).segments
        case UInt8(ascii: "m"): try ManifestRecord(encoded: value).segments
        default: []
        }
    }

    package func contains(_ blob: BlobName, offset: Int64) -> Bool {
        places.contains(Place(blob: blob, offset: offset))
    }

    /// When the last request was recorded whose commit is in the journal; nil where there is none.
    package var lastRequest: Timestamp? {
        guard let lastRecord else { return nil }
        do {
            let record = try JSON.parse(OutboxRecord(encoded: lastRecord.row).canonicalJSON)
            return record["eventTime"]?.stringValue.flatMap { Timestamp(iso8601: $0) }
        } catch {
            return nil  // Then the age of what is found is not held against it.
        }
    }
}
