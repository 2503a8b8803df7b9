import Metadata
package import Primitives
package import S3Model
import S3Wire

extension DeletePublicAccessBlock: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        try await BucketChange.configure(input.bucket, .publicAccessBlock, nil, for: request, in: gateway)
        return Reply(Output())
    }
}
