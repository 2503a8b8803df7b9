/// Says how far a bucket keeps the public out.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html>
package enum PutPublicAccessBlock: Operation {
    package static let name = "PutPublicAccessBlock"
    package static let isReadOnly = false

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var block: PublicAccessBlock

        package init(bucket: String, block: PublicAccessBlock) {
            (self.bucket, self.block) = (bucket, block)
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
