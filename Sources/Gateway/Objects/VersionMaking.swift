package import Metadata
package import Primitives
package import S3Model

extension VersionRecord {
    /// A version with what a writer gave it; size, ETag, checksum and segments come with its bytes.
    package init(_ attributes: ObjectAttributes, modified: Timestamp, uid: UInt64) {
        self.init()
        self.modified = modified
        self.uid = uid
        headers = attributes.headers
        metadata = attributes.metadata
        storageClass = attributes.storageClass
        tags = attributes.tags.map { ObjectTag(key: $0.key, value: $0.value) }
    }
}

extension Bucket {
    /// The version id that answers carry: none in a bucket that was never versioned.
    package func visible(_ id: VersionID) -> VersionID? {
        record.versioning == .unversioned ? nil : id
    }
}
