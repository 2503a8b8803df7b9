/// Accepts the list that every bucket has, and refuses every other.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html>
package enum PutBucketAcl: Operation {
    package static let name = "PutBucketAcl"
    package static let isReadOnly = false
    package static let headerUse = HeaderUse.accessControl

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
        [RequiredAccess("s3:PutBucketAcl", bucket: input.bucket, headers: headerUse)]
    }
}
