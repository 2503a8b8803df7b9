import Metadata
package import Primitives
package import S3Model
import S3Wire

extension GetBucketPolicy: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        guard let policy = try await BucketChange.configuration(input.bucket, .policy, in: gateway) else {
            throw S3Error(.noSuchBucketPolicy, details: [S3Error.Detail("BucketName", input.bucket)])
        }
        return Reply(Output(policy: policy))
    }
}
