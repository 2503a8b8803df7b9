import Metadata
package import Primitives
package import S3Model
import S3Wire

extension GetPublicAccessBlock: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        // No account has a block of its own that would stand in for one that the bucket lacks.
        guard let record = try await gateway.buckets.bucket(input.bucket).publicAccess else {
            throw S3Error(
                .noSuchPublicAccessBlock, details: [S3Error.Detail("BucketName", input.bucket)])
        }
        return Reply(Output(block: record.block))
    }
}
