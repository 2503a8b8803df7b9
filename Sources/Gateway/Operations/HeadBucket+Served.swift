package import Primitives
package import S3Model
import S3Wire

extension HeadBucket: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        return Reply(Output(region: gateway.settings.region))
    }
}
