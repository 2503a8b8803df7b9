import Metadata
package import Primitives
package import S3Model
import S3Wire

extension PutPublicAccessBlock: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let record = PublicAccessRecord(input.block)
        request.note(parameter: "PublicAccessBlockConfiguration", record.settings.joined(separator: ","))
        try await BucketChange.configure(
            input.bucket, .publicAccessBlock, record.encoded, for: request, in: gateway)
        return Reply(Output())
    }
}
