import Metadata
import Policy
package import Primitives
package import S3Model
import S3Wire

extension PutBucketPolicy: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        do {
            _ = try PolicyDocument.parse(input.policy, kind: .bucket(input.bucket))
        } catch {
            throw S3Error(.malformedPolicy, error.message)
        }
        try await BucketChange.configure(input.bucket, .policy, input.policy, for: request, in: gateway)
        return Reply(Output())
    }
}
