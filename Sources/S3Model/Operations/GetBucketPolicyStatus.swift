/// Says whether the policy of a bucket makes it public.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html>
package enum GetBucketPolicyStatus: Operation {
    package static let name = "GetBucketPolicyStatus"
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
        package var isPublic: Bool

        package init(isPublic: Bool) {
            self.isPublic = isPublic
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [RequiredAccess("s3:GetBucketPolicyStatus", bucket: input.bucket)]
    }
}
