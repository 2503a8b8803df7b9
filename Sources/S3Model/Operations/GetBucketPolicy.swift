/// Returns the policy of a bucket.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html>
package enum GetBucketPolicy: Operation {
    package static let name = "GetBucketPolicy"
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
        /// The document, as it was put.
        package var policy: [UInt8]

        package init(policy: [UInt8] = []) {
            self.policy = policy
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [RequiredAccess("s3:GetBucketPolicy", bucket: input.bucket)]
    }
}
