/// Says whether a bucket exists and the caller may list it.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>
package enum HeadBucket: Operation {
    package static let name = "HeadBucket"
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
        package var region: String

        package init(region: String) {
            self.region = region
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [RequiredAccess("s3:ListBucket", bucket: input.bucket)]
    }
}
