package import Primitives

/// Replaces the tags of an object.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html>
package enum PutObjectTagging: Operation {
    package static let name = "PutObjectTagging"
    package static let isReadOnly = false

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var key: ObjectKey
        /// Nil for the current version.
        package var versionID: VersionID?
        package var tags: [Tag]

        package init(bucket: String, key: ObjectKey, versionID: VersionID? = nil, tags: [Tag] = []) {
            (self.bucket, self.key, self.versionID, self.tags) = (bucket, key, versionID, tags)
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
        ObjectWriteAccess.tagging(bucket: input.bucket, key: input.key, version: input.versionID, tags: input.tags)
    }
}
