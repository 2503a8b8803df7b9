/// Says where a bucket is.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html>
package enum GetBucketLocation: Operation {
    package static let name = "GetBucketLocation"
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
        [RequiredAccess("s3:GetBucketLocation", bucket: input.bucket)]
    }
}
