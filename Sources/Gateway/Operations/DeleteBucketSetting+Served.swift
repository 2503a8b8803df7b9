import Metadata
package import Primitives
package import S3Model
import S3Wire

extension DeleteBucketSetting: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        _ = try await gateway.buckets.bucket(input.bucket)
        return Reply(Output())
    }

    package static func eventName(of input: Input) -> String { input.removal.operation }
}
