package import Primitives
package import S3Model
import S3Wire

extension DeleteObjectTagging: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let id = try await ObjectTagChange(gateway, request).replace(
            [], key: input.key, versionID: input.versionID, bucketName: input.bucket)
        return Reply(Output(versionID: id))
    }
}
