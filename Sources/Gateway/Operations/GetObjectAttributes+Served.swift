import Metadata
package import Primitives
package import S3Model
import S3Wire

extension GetObjectAttributes: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let found = try await ObjectLookup(gateway, request).read(
            input.key, input.versionID, bucketName: input.bucket, preconditions: Preconditions(),
            wantsSegments: true)
        let record = found.version.record
        let algorithm = record.checksum?.algorithm
        let after = record.parts.filter { $0.number > input.partMarker }
        let parts = after.prefix(input.partLimit).map { part in
            ListedPart(
                number: part.number, size: part.size, etag: "", modified: record.modified,
                checksum: part.checksum.isEmpty
                    ? nil
                    : algorithm.map { Checksum(algorithm: $0, value: Base64.encode(part.checksum), isComposite: false) }
            )
        }
        return Reply(
            Output(
                summary: record.summary(key: input.key, versionID: found.visibleID), parts: Array(parts),
                isTruncated: after.count > parts.count))
    }
}
