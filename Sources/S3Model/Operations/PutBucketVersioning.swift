/// Enables or suspends versioning.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html>
package enum PutBucketVersioning: Operation {
    package static let name = "PutBucketVersioning"
    package static let isReadOnly = false

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var state: VersioningState

        package init(bucket: String, state: VersioningState) {
            (self.bucket, self.state) = (bucket, state)
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package init() {}
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [RequiredAccess("s3:PutBucketVersioning", bucket: input.bucket)]
    }
}
