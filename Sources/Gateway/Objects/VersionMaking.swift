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
    /// The version id that answers to a write carry: none in a bucket that was never versioned.
    package func visible(_ id: VersionID) -> VersionID? {
        record.versioning == .unversioned ? nil : id
    }
}

extension BucketDirectory {
    /// The version id that answers to a read carry: none in a bucket that was never versioned.
    ///
    /// - Parameter bucket: as it was before the version was read. Versioning may have been turned on since.
    package func visible(_ id: VersionID, in bucket: Bucket) async throws(S3Error) -> VersionID? {
        guard id == .null, bucket.record.versioning == .unversioned else { return id }
        guard let bucket = try await find(bucket.name) else { return nil }
        return bucket.visible(id)
    }
}
