import Metadata
package import Primitives
package import S3Model
import S3Wire

extension GetObjectTagging: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let bucket = try await gateway.buckets.bucket(input.bucket)
        let version = try await ObjectLookup(gateway, request).existing(input.key, input.versionID, in: bucket)
        let tags = version.record.tags.map { Tag(key: $0.key, value: $0.value) }
        return Reply(Output(tags: tags, versionID: try await gateway.buckets.visible(version.id, in: bucket)))
    }
}
