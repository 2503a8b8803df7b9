import Metadata
package import Primitives
package import S3Model
import S3Wire

extension PutBucketVersioning: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        request.note(parameter: "VersioningConfiguration", input.state.rawValue)
        try await BucketChange.update(input.bucket, for: request, in: gateway) { bucket, changes throws(S3Error) in
            var record = bucket.record
            record.versioning = input.state == .enabled ? .enabled : .suspended
            changes.put(bucket.entry.key, record.encoded)
        }
        return Reply(Output())
    }
}
