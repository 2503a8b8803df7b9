import Metadata
package import Primitives
package import S3Model
import S3Wire

extension PutObjectLockConfiguration: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Never> {
        let bucket = try await gateway.buckets.bucket(input.bucket)
        guard bucket.record.versioning == .enabled else {
            throw S3Error(
                .invalidBucketState, "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
                details: [S3Error.Detail("BucketName", input.bucket)])
        }
        throw S3Error(.notImplemented, "PutObjectLockConfiguration is not implemented.")
    }
}
