/// Refuses to lock a bucket: as S3 does where it keeps no versions, and as not implemented otherwise.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html>
package enum PutObjectLockConfiguration: Operation {
    package static let name = "PutObjectLockConfiguration"
    package static let isReadOnly = false

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String

        package init(bucket: String) {
            self.bucket = bucket
        }
    }

    /// It never answers but with an error.
    package typealias Output = Never

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [RequiredAccess("s3:PutBucketObjectLockConfiguration", bucket: input.bucket)]
    }
}
