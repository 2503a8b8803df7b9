package import Primitives

/// Refuses legal holds and retention as S3 does in a bucket without Object Lock, which no bucket has yet.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLegalHold.html> and the pages of the other
/// operations that `ObjectLockRequest` names.
package enum UseObjectLock: Operation {
    package static let name = "UseObjectLock"
    package static let isReadOnly = false

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var key: ObjectKey
        /// Nil for the current version.
        package var versionID: VersionID?
        package var request: ObjectLockRequest

        package init(bucket: String, key: ObjectKey, versionID: VersionID? = nil, request: ObjectLockRequest) {
            (self.bucket, self.key, self.versionID, self.request) = (bucket, key, versionID, request)
        }
    }

    /// It never answers but with an error.
    package typealias Output = Never

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [RequiredAccess(input.request.action, bucket: input.bucket, key: input.key)]
    }
}
