import Metadata
package import Primitives
package import S3Model
import S3Wire

extension UploadPart: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        request.note(parameter: "uploadId", input.upload)
        request.note(parameter: "partNumber", String(input.partNumber))
        let bucket = try await gateway.buckets.bucket(input.bucket)
        let upload = try await UploadStore(gateway, request).open(input.upload, key: input.key, in: bucket)
        let checksum = try upload.checksum(of: input.checksum)
        let stored = try await ObjectWriter(gateway, request).store(
            body, length: input.length, checksum: checksum, in: bucket,
            description: upload.description(ofPart: input.partNumber, bucket: bucket))
        let etag = try await UploadStore(gateway, request).put(
            stored, number: input.partNumber, upload: upload, in: bucket)
        return Reply(Output(etag: etag, checksum: Checksum(stored.checksum)))
    }
}
