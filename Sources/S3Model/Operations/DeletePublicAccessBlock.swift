/// Lets a bucket keep the public out by its policy alone. S3 has no action for it but the one of setting.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeletePublicAccessBlock.html>
package enum DeletePublicAccessBlock: Operation {
    package static let name = "DeletePublicAccessBlock"
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
        [RequiredAccess("s3:PutBucketPublicAccessBlock", bucket: input.bucket)]
    }
}
