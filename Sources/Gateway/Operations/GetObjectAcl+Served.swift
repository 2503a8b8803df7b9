import Metadata
package import Primitives
package import S3Model
import S3Wire

extension GetObjectAcl: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let bucket = try await gateway.buckets.bucket(input.bucket)
        let version = try await ObjectLookup(gateway, request).existing(input.key, input.versionID, in: bucket)
        return Reply(
            Output(
                owner: gateway.owner(bucket.record.account),
                versionID: try await gateway.buckets.visible(version.id, in: bucket)))
    }
}
