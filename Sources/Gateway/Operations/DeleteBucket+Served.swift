import Metadata
package import Primitives
package import S3Model
import S3Wire

extension DeleteBucket: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        try await BucketChange.update(input.bucket, for: request, in: gateway) { bucket, changes throws(S3Error) in
            // Versions and delete markers keep a bucket alive. Uploads do not, as in S3: `UploadCollector` ends them.
            for room: Unicode.Scalar in ["l", "v", "x"] {
                let page = try await gateway.versions.scan(
                    Scan(.prefix(Keys.room(bucket.id, room)), limit: 1, wantsValues: false))
                guard page.rows.isEmpty else {
                    throw S3Error(.bucketNotEmpty, details: [S3Error.Detail("BucketName", bucket.name)])
                }
                changes.require(.rangeEmpty(.prefix(Keys.room(bucket.id, room))))
            }
            changes.remove(bucket.entry.key)
            for kind in BucketConfigurationKind.allCases { changes.remove(Keys.configuration(bucket.id, kind)) }
            for counter in [UsageCounter.bytes, .objects] { changes.remove(Keys.usage(bucket.id, counter)) }
        }
        return Reply(Output())
    }
}
