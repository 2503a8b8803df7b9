package import Primitives
package import S3Model
import S3Wire

extension DeleteObject: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let output = try await ObjectDeletion(gateway, request).delete(
            input.key, input.versionID, bucketName: input.bucket, preconditions: input.preconditions)
        return Reply(output)
    }
}
