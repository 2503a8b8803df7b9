package import Primitives

/// The source of a copy, decoded once from `x-amz-copy-source`.
package struct CopySource: Sendable, Hashable {
    package var bucket: String
    package var key: ObjectKey
    package var versionID: VersionID?

    package init(bucket: String, key: ObjectKey, versionID: VersionID?) {
        (self.bucket, self.key, self.versionID) = (bucket, key, versionID)
    }

    /// Reading the source must be allowed like any other read (GHSA-mx42).
    package var accesses: [RequiredAccess] {
        ObjectReadAccess.accesses("s3:GetObject", bucket: bucket, key: key, version: versionID)
    }
}
