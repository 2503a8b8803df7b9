import Metadata
import Policy
package import Primitives
package import S3Model
import S3Wire

extension PutBucketPolicy: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let policy: PolicyDocument
        do {
            policy = try PolicyDocument.parse(input.policy, kind: .bucket(input.bucket))
        } catch {
            throw S3Error(.malformedPolicy, error.message)
        }
        try await BucketChange.update(input.bucket, for: request, in: gateway) { bucket, changes throws(S3Error) in
            if policy.isPublic {
                guard bucket.publicAccess?.blockPublicPolicy != true else {
                    throw S3Error(
                        .accessDenied, "Public policies are blocked: the bucket has BlockPublicPolicy set.")
                }
                // A block that is set meanwhile must not find the policy let in beside it.
                changes.require(
                    Keys.configuration(bucket.id, .publicAccessBlock), unchangedFrom: bucket.publicAccessEntry)
            }
            changes.put(Keys.configuration(bucket.id, .policy), input.policy)
        }
        return Reply(Output())
    }
}
