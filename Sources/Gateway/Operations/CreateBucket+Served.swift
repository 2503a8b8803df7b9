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
        for _ in 0..<attempts {
            if let existing = try await gateway.buckets.find(input.bucket) {
                return try existsAlready(existing, request, gateway)
            }
            // Where somebody else is faster, that bucket decides, unless it is gone again.
            if try await create(input.bucket, request, gateway) { return Reply(Output(bucket: input.bucket)) }
        }
        throw S3Error(.operationAborted)
    }

    private static let attempts = 20

    private static func create(
        _ name: String, _ request: RequestContext, _ gateway: Gateway
    ) async throws(S3Error) -> Bool {
        let record = BucketRecord(
            id: BucketID(gateway.environment.random()), account: request.caller.principal.accountID,
            created: gateway.environment.now())
        var changes = Changes()
        changes.require(.absent(Keys.bucket(name)))
        changes.put(Keys.bucket(name), record.encoded)
        return try await BucketChange.commit(changes, bucket: name, for: request, in: gateway)
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
