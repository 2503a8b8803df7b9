import Metadata
package import Primitives
package import S3Model
import S3Wire

extension PutObject: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let bucket = try await gateway.buckets.bucket(input.bucket)
        try await precheck(input, bucket, gateway)
        var record = VersionRecord(
            input.attributes, modified: gateway.environment.now(), uid: gateway.environment.random())
        let template = record
        let stored = try await ObjectWriter(gateway, request).store(
            body, length: input.length, checksum: input.checksum, in: bucket
        ) { digests in
            var version = template
            (version.size, version.etag) = (digests.length, Hex.encode(digests.md5))
            return RecoveryRecord(bucketName: bucket.name, bucket: bucket.id, key: input.key, version: version).encoded
        }
        (record.size, record.etag, record.checksum) = (stored.digests.length, stored.etag, stored.checksum)
        record.segments = stored.segments
        let owner = ReferenceOwner.encoded(bucket.id, input.key)
        let id = try await ObjectWriter(gateway, request).publish(
            record, key: input.key, bucketName: input.bucket, preconditions: input.preconditions, expecting: bucket.id
        ) { _, changes throws(S3Error) in
            changes.refer(to: stored.segments, from: owner, at: gateway.environment.now())
        }
        return Reply(
            Output(etag: stored.etag, versionID: id, checksum: Checksum(stored.checksum), size: record.size))
    }

    /// Refuses what is bound to fail before the bytes are read. The commit decides.
    private static func precheck(_ input: Input, _ bucket: Bucket, _ gateway: Gateway) async throws(S3Error) {
        guard !input.preconditions.isEmpty else { return }
        let state = try await gateway.versions.state(of: input.key, in: bucket.record)
        try ObjectWriter.check(input.preconditions, against: state)
    }
}
