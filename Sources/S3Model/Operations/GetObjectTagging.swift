package import Primitives

/// Returns the tags of an object.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html>
package enum GetObjectTagging: Operation {
    package static let name = "GetObjectTagging"
    package static let isReadOnly = true

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
        package var tags: [Tag]
        package var versionID: VersionID?

        package init(tags: [Tag] = [], versionID: VersionID? = nil) {
            (self.tags, self.versionID) = (tags, versionID)
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        ObjectReadAccess.accesses("s3:GetObjectTagging", bucket: input.bucket, key: input.key, version: input.versionID)
    }
}
