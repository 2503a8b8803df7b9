import Metadata
package import Primitives
package import S3Model
import S3Wire

extension GetBucketVersioning: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let bucket = try await gateway.buckets.bucket(input.bucket)
        switch bucket.record.versioning {
        case .unversioned: return Reply(Output(state: nil))
        case .enabled: return Reply(Output(state: .enabled))
        case .suspended: return Reply(Output(state: .suspended))
        }
    }
}
