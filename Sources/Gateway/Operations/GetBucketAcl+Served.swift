import Metadata
package import Primitives
package import S3Model
import S3Wire

extension GetBucketAcl: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let bucket = try await gateway.buckets.bucket(input.bucket)
        return Reply(Output(owner: gateway.owner(bucket.record.account)))
    }
}
