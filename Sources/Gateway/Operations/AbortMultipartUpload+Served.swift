package import Primitives
package import S3Model
import S3Wire

extension AbortMultipartUpload: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        request.note(parameter: "uploadId", input.upload)
        try await UploadStore(gateway, request).abort(
            input.upload, key: input.key, bucketName: input.bucket, ifInitiated: input.ifMatchInitiated)
        return Reply(Output())
    }
}
