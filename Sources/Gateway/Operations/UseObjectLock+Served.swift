import Metadata
package import Primitives
package import S3Model
import S3Wire

extension UseObjectLock: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Never> {
        _ = try await gateway.buckets.bucket(input.bucket)
        throw S3Error(.invalidRequest, "Bucket is missing Object Lock Configuration")
    }

    package static func eventName(of input: Input) -> String { input.request.rawValue }

    package static func isReadOnly(_ input: Input) -> Bool {
        switch input.request {
        case .getLegalHold, .getRetention: true
        case .putLegalHold, .putRetention: false
        }
    }
}
