/// Removes the tags of a bucket.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketTagging.html>
package enum DeleteBucketTagging: Operation {
    package static let name = "DeleteBucketTagging"
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
        [RequiredAccess("s3:PutBucketTagging", bucket: input.bucket)]
    }
}
