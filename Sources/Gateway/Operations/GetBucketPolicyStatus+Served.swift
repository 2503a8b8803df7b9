import Policy
package import Primitives
package import S3Model
import S3Wire

extension GetBucketPolicyStatus: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        guard let policy = try await gateway.buckets.bucket(input.bucket).policy else {
            throw S3Error(.noSuchBucketPolicy, details: [S3Error.Detail("BucketName", input.bucket)])
        }
        return Reply(Output(isPublic: policy.isPublic))
    }
}
