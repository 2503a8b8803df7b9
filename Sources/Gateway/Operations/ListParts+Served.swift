import Metadata
package import Primitives
package import S3Model
import S3Wire

extension ListParts: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let bucket = try await gateway.buckets.bucket(input.bucket)
        let store = UploadStore(gateway, request)
        let upload = try await store.open(input.upload, key: input.key, in: bucket)
        let (parts, isTruncated) = try await store.parts(
            of: upload, in: bucket, after: input.marker, limit: input.limit)
        let listed = parts.map { part in
            ListedPart(
                number: part.number, size: part.record.size, etag: part.record.etag, modified: part.record.modified,
                // Checksums are shown where the client chose their algorithm.
                checksum: upload.record.checksumAlgorithm == nil ? nil : part.record.checksum.map { Checksum($0) })
        }
        return Reply(
            Output(
                parts: listed, isTruncated: isTruncated, owner: gateway.owner(bucket.record.account),
                initiator: gateway.owner(upload.record.initiator), storageClass: upload.record.template.storageClass,
                checksumAlgorithm: upload.record.checksumAlgorithm, isComposite: upload.record.isComposite))
    }
}
