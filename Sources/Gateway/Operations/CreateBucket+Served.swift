import Metadata
import Policy
package import Primitives
package import S3Model
import S3Wire

extension CreateBucket: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        try checkLocation(input.location, region: gateway.settings.region)
        if let existing = try await gateway.buckets.find(input.bucket) {
            return try existsAlready(existing, request, gateway)
        }
        let record = BucketRecord(
            id: BucketID(gateway.environment.random()), account: request.caller.principal.accountID,
            created: gateway.environment.now())
        var changes = Changes()
        changes.require(.absent(Keys.bucket(input.bucket)))
        changes.put(Keys.bucket(input.bucket), record.encoded)
        let done = try await BucketChange.commit(changes, bucket: input.bucket, for: request, in: gateway)
        guard done else {
            // Somebody else was faster: that bucket decides.
            return try existsAlready(try await gateway.buckets.bucket(input.bucket), request, gateway)
        }
        return Reply(Output(bucket: input.bucket))
    }

    /// In us-east-1, creating a bucket that one owns succeeds and changes nothing; elsewhere it is an error.
    private static func existsAlready(
        _ bucket: Bucket, _ request: RequestContext, _ gateway: Gateway
    ) throws(S3Error) -> Reply<Output> {
        guard bucket.record.account == request.caller.principal.accountID else {
            throw S3Error(.bucketAlreadyExists, details: [S3Error.Detail("BucketName", bucket.name)])
        }
        guard gateway.settings.region == "us-east-1" else {
            throw S3Error(.bucketAlreadyOwnedByYou, details: [S3Error.Detail("BucketName", bucket.name)])
        }
        return Reply(Output(bucket: bucket.name))
    }

    private static func checkLocation(_ location: String?, region: String) throws(S3Error) {
        guard let location, !location.isEmpty, location != region else { return }
        throw S3Error(
            .illegalLocationConstraint,
            "The \(location) location constraint is incompatible for the region specific endpoint this request "
                + "was sent to."
        )
    }
}
