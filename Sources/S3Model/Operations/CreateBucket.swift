/// Creates a bucket.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
package enum CreateBucket: Operation {
    package static let name = "CreateBucket"
    package static let isReadOnly = false
    package static let headerUse = HeaderUse.bucketCreation

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        /// The region that the body names.
        package var location: String?
        package var wantsObjectLock: Bool

        package init(bucket: String, location: String? = nil, wantsObjectLock: Bool) {
            (self.bucket, self.location, self.wantsObjectLock) = (bucket, location, wantsObjectLock)
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var bucket: String

        package init(bucket: String) {
            self.bucket = bucket
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        let context = input.location.map { ["s3:locationconstraint": [$0]] } ?? [:]
        return [RequiredAccess("s3:CreateBucket", bucket: input.bucket, context: context, headers: headerUse)]
    }
}
