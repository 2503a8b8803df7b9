import Primitives
package import S3Model

extension PutBucketTagging: WireOperation {
    package static let payload = PayloadKind.document(limit: ServiceLimits.documentSize)

    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        Input(
            bucket: try request.requiredBucket(),
            tags: try TagDecoding.document(document, limit: ServiceLimits.tagsOfABucket))
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        WireResponse(status: 204)
    }
}
