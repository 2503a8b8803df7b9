import Metadata
package import Primitives
package import S3Model
import S3Wire

extension HeadObject: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let found = try await ObjectLookup(gateway, request).read(
            input.key, input.versionID, bucketName: input.bucket, range: input.range, partNumber: input.partNumber,
            preconditions: input.preconditions, wantsSegments: false)
        let output = Output(
            summary: found.version.record.summary(key: input.key, versionID: found.visibleID), range: found.range,
            tagCount: try await ObjectLookup(gateway, request).visibleTagCount(
                of: found, input.key, input.versionID, bucketName: input.bucket))
        return Reply(output)
    }
}
