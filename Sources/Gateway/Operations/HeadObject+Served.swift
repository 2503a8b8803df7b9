import Metadata
package import Primitives
package import S3Model
import S3Wire

extension HeadObject: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let lookup = ObjectLookup(gateway, request)
        let found = try await lookup.read(
            input.key, input.versionID, bucketName: input.bucket, range: input.range, ifRange: input.ifRange,
            partNumber: input.partNumber, preconditions: input.preconditions, wantsSegments: false)
        let output = try await lookup.output(of: found, for: input)
        return Reply(output)
    }
}
