package import Metadata
package import Primitives
package import S3Model

/// A version as it was read: its record, the entry that the record stood in, and all its segments.
package struct StoredVersion: Sendable {
    package var entry: Entry
    package var record: VersionRecord

    package init(entry: Entry, record: VersionRecord) {
        (self.entry, self.record) = (entry, record)
    }

    /// The id that clients see.
    package var id: VersionID {
        record.isNull ? .null : .versioned(sequence: record.sequence, uid: record.uid)
    }

    /// Whether the id names this version.
    package func matches(_ wanted: VersionID) -> Bool { id == wanted }
}

extension VersionRecord {
    /// The record as it stands once it no longer is where it was first written: its sequence is part of it.
    package var settled: [UInt8] { encoded }

    /// What an answer tells of the version.
    package func summary(key: ObjectKey, versionID: VersionID?) -> ObjectSummary {
        ObjectSummary(
            key: key, size: size, etag: etag, modified: modified,
            attributes: ObjectAttributes(
                headers: headers, metadata: metadata, storageClass: storageClass,
                tags: tags.map { Tag(key: $0.key, value: $0.value) }),
            versionID: versionID, checksum: checksum.map { Checksum($0, parts: partCount) },
            partCount: partCount > 0 ? partCount : nil, recovered: recovered)
    }
}

extension Checksum {
    /// A stored checksum as clients see it: a composite one ends in the number of parts.
    package init(_ stored: StoredChecksum, parts: Int = 0) {
        let value = Base64.encode(stored.value)
        self.init(
            algorithm: stored.algorithm, value: stored.isComposite && parts > 0 ? "\(value)-\(parts)" : value,
            isComposite: stored.isComposite)
    }
}
