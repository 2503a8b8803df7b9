import Primitives
package import S3Model

extension PutBucketPolicy: WireOperation {
    package static let payload = PayloadKind.document(limit: ServiceLimits.policySize)

    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        guard !document.isEmpty else { throw S3Error(.missingRequestBody) }
        return Input(bucket: try request.requiredBucket(), policy: document)
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        WireResponse(status: 204)
    }
}
