/// Removes the policy of a bucket.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html>
package enum DeleteBucketPolicy: Operation {
    package static let name = "DeleteBucketPolicy"
    package static let isReadOnly = false

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String

        package init(bucket: String) {
            self.bucket = bucket
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package init() {}
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [RequiredAccess("s3:DeleteBucketPolicy", bucket: input.bucket)]
    }
}
