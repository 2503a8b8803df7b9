/// Returns how far a bucket keeps the public out.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html>
package enum GetPublicAccessBlock: Operation {
    package static let name = "GetPublicAccessBlock"
    package static let isReadOnly = true

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String

        package init(bucket: String) {
            self.bucket = bucket
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var block: PublicAccessBlock

        package init(block: PublicAccessBlock) {
            self.block = block
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [RequiredAccess("s3:GetBucketPublicAccessBlock", bucket: input.bucket)]
    }
}
