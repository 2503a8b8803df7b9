import Metadata
package import Primitives
package import S3Model
import S3Wire

extension GetBucketTagging: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        guard let stored = try await BucketChange.configuration(input.bucket, .tagging, in: gateway) else {
            throw S3Error(.noSuchTagSet, details: [S3Error.Detail("BucketName", input.bucket)])
        }
        do {
            return Reply(Output(tags: try ObjectTag.decode(stored).map { Tag(key: $0.key, value: $0.value) }))
        } catch {
            throw S3Error.damagedRecord("the tags of a bucket do not parse")
        }
    }
}
