/// Replaces the policy of a bucket.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html>
package enum PutBucketPolicy: Operation {
    package static let name = "PutBucketPolicy"
    package static let isReadOnly = false

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        /// A JSON document of at most 20 KiB.
        package var policy: [UInt8]

        package init(bucket: String, policy: [UInt8] = []) {
            (self.bucket, self.policy) = (bucket, policy)
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package init() {}
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [RequiredAccess("s3:PutBucketPolicy", bucket: input.bucket)]
    }
}
