import Metadata
package import Primitives
package import S3Model
import S3Wire

extension GetBucketSetting: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let bucket = try await gateway.buckets.bucket(input.bucket)
        if let code = missing(input.setting) {
            throw S3Error(code, details: [S3Error.Detail("BucketName", input.bucket)])
        }
        return Reply(Output(owner: gateway.owner(bucket.record.account)))
    }

    package static func eventName(of input: Input) -> String { input.setting.operation }

    /// What S3 answers for a setting that was never set, where that is an error.
    private static func missing(_ setting: UnsetBucketSetting) -> S3Error.Code? {
        switch setting {
        case .accelerate, .logging, .notification, .requestPayment, .ownershipControls: nil
        case .cors: S3Error.Code("NoSuchCORSConfiguration", 404, "The CORS configuration does not exist")
        case .encryption:
            S3Error.Code(
                "ServerSideEncryptionConfigurationNotFoundError", 404,
                "The server side encryption configuration was not found")
        case .lifecycle:
            S3Error.Code("NoSuchLifecycleConfiguration", 404, "The lifecycle configuration does not exist")
        case .objectLock:
            S3Error.Code(
                "ObjectLockConfigurationNotFoundError", 404,
                "Object Lock configuration does not exist for this bucket")
        case .replication:
            S3Error.Code(
                "ReplicationConfigurationNotFoundError", 404, "The replication configuration was not found")
        case .website:
            S3Error.Code(
                "NoSuchWebsiteConfiguration", 404, "The specified bucket does not have a website configuration")
        }
    }
}
