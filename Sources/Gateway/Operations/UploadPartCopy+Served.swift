import Metadata
package import Primitives
package import S3Model
import S3Wire

extension UploadPartCopy: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        request.note(parameter: "uploadId", input.upload)
        request.note(parameter: "partNumber", String(input.partNumber))
        let bucket = try await gateway.buckets.bucket(input.bucket)
        let upload = try await UploadStore(gateway, request).open(input.upload, key: input.key, in: bucket)
        let source = try await CopyReader(gateway, request).source(
            input.source, preconditions: input.sourcePreconditions)
        let range = try source.range(input.range)
        var wanted = ChecksumRequest()
        wanted.algorithm = upload.record.checksumAlgorithm
        let stored = try await ObjectWriter(gateway, request).store(
            ObjectReader(gateway.storage).body(of: source.version.record, range: range),
            length: range.upperBound - range.lowerBound, checksum: wanted, in: bucket,
            description: upload.description(ofPart: input.partNumber, bucket: bucket))
        let etag = try await UploadStore(gateway, request).put(
            stored, number: input.partNumber, upload: upload, in: bucket)
        return Reply(
            Output(
                etag: etag, modified: gateway.environment.now(), sourceVersionID: source.visibleID,
                checksum: upload.record.checksumAlgorithm == nil ? nil : Checksum(stored.checksum)))
    }
}
