import Primitives
package import S3Model

extension PutBucketAcl: WireOperation {
    package static let payload = PayloadKind.document(limit: ServiceLimits.documentSize)

    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        return Input(bucket: try request.requiredBucket())
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        WireResponse()
    }
}
