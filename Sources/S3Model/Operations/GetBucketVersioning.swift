/// Says whether a bucket keeps versions.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>
package enum GetBucketVersioning: Operation {
    package static let name = "GetBucketVersioning"
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
        /// Nil where versioning was never enabled.
        package var state: VersioningState?

        package init(state: VersioningState? = nil) {
            self.state = state
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [RequiredAccess("s3:GetBucketVersioning", bucket: input.bucket)]
    }
}
