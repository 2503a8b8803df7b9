import Metadata
package import Primitives
package import S3Model
import S3Wire

extension PutBucketTagging: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let stored = ObjectTag.encode(input.tags.map { ObjectTag(key: $0.key, value: $0.value) })
        try await BucketChange.configure(input.bucket, .tagging, stored, for: request, in: gateway)
        return Reply(Output())
    }
}
