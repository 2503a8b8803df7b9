/// Returns the access control list of a bucket, which always gives its owner full control.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html>
package enum GetBucketAcl: Operation {
    package static let name = "GetBucketAcl"
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
        package var owner: Owner

        package init(owner: Owner) {
            self.owner = owner
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [RequiredAccess("s3:GetBucketAcl", bucket: input.bucket)]
    }
}
