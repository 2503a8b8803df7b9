import Metadata
package import Primitives
package import S3Model
import S3Wire

extension GetObject: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let lookup = ObjectLookup(gateway, request)
        let found = try await lookup.read(
            input.key, input.versionID, bucketName: input.bucket, range: input.range, ifRange: input.ifRange,
            partNumber: input.partNumber, preconditions: input.preconditions, wantsSegments: true)
        let output = try await lookup.output(of: found, for: input)
        let content = ObjectReader(gateway.storage).content(
            of: found.version.record, range: found.range ?? 0..<found.version.record.size)
        return Reply(output, content: content)
    }
}
