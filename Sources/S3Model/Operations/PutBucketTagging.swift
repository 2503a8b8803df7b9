/// Replaces the tags of a bucket.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html>
package enum PutBucketTagging: Operation {
    package static let name = "PutBucketTagging"
    package static let isReadOnly = false

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var tags: [Tag]

        package init(bucket: String, tags: [Tag] = []) {
            (self.bucket, self.tags) = (bucket, tags)
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
