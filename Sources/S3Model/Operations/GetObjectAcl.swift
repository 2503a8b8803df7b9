package import Primitives

/// Returns the access control list of an object, which always gives its owner full control.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html>
package enum GetObjectAcl: Operation {
    package static let name = "GetObjectAcl"
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
        package var owner: Owner
        package var versionID: VersionID?

        package init(owner: Owner, versionID: VersionID? = nil) {
            (self.owner, self.versionID) = (owner, versionID)
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        ObjectReadAccess.accesses("s3:GetObjectAcl", bucket: input.bucket, key: input.key, version: input.versionID)
    }
}
