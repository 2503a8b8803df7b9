package import Primitives

/// Accepts the list that every object has, and refuses every other.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html>
package enum PutObjectAcl: Operation {
    package static let name = "PutObjectAcl"
    package static let isReadOnly = false
    package static let headerUse = HeaderUse.accessControl

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
        ObjectReadAccess.accesses("s3:PutObjectAcl", bucket: input.bucket, key: input.key, version: input.versionID)
            .map { access in
                var access = access
                access.headers = headerUse
                return access
            }
    }
}
