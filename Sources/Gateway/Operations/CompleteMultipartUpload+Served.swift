package import Primitives
package import S3Model
import S3Wire

extension CompleteMultipartUpload: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        request.note(parameter: "uploadId", input.upload)
        let output = try await UploadCompletion(gateway, request).complete(input)
        return Reply(output)
    }
}
