package import Primitives
package import S3Model
import S3Wire

extension PutObject: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let bucket = try await gateway.buckets.bucket(input.bucket)
        try await precheck(input, bucket, gateway)
        let created = try await ObjectWriter(gateway, request).create(
            input.key, in: bucket, input.attributes, body: body, length: input.length, checksum: input.checksum,
            preconditions: input.preconditions)
        return Reply(
            Output(
                etag: created.etag, versionID: created.versionID, checksum: created.checksum, size: created.size))
    }

    /// Refuses what is bound to fail before the bytes are read. The commit decides.
    private static func precheck(_ input: Input, _ bucket: Bucket, _ gateway: Gateway) async throws(S3Error) {
        guard !input.preconditions.isEmpty else { return }
        let state = try await gateway.versions.state(of: input.key, in: bucket.record)
        try ObjectWriter.check(input.preconditions, against: state)
    }
}
