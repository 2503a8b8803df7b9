import Metadata
package import Primitives
package import S3Model
import S3Wire

extension ListObjects: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let bucket = try await gateway.buckets.bucket(input.bucket)
        let listing = try await ObjectLister(gateway.versions).page(
            of: bucket.id, prefix: input.prefix, delimiter: input.delimiter, after: input.marker, limit: input.limit)
        return Reply(Output(listing: listing, owner: gateway.owner(bucket.record.account)))
    }
}
