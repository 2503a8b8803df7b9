/// Returns the tags of a bucket.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html>
package enum GetBucketTagging: Operation {
    package static let name = "GetBucketTagging"
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
        package var tags: [Tag]

        package init(tags: [Tag] = []) {
            self.tags = tags
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [RequiredAccess("s3:GetBucketTagging", bucket: input.bucket)]
    }
}
