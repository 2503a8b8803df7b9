package import Primitives

/// Removes the tags of an object.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html>
package enum DeleteObjectTagging: Operation {
    package static let name = "DeleteObjectTagging"
    package static let isReadOnly = false

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var key: ObjectKey
        /// Nil for the current version.
        package var versionID: VersionID?

        package init(bucket: String, key: ObjectKey, versionID: VersionID? = nil) {
            (self.bucket, self.key, self.versionID) = (bucket, key, versionID)
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var versionID: VersionID?

        package init(versionID: VersionID? = nil) {
            self.versionID = versionID
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        ObjectReadAccess.accesses(
            "s3:DeleteObjectTagging", bucket: input.bucket, key: input.key, version: input.versionID)
    }
}
