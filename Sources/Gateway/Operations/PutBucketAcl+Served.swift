package import Primitives
package import S3Model
import S3Wire

extension PutBucketAcl: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        // Decoding has seen to it that the list is the one that every bucket has.
        return Reply(Output())
    }
}
