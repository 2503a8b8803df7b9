import Primitives
package import S3Model

extension PutObjectTagging: WireOperation {
    package static let payload = PayloadKind.document(limit: ServiceLimits.documentSize)

    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        Input(
            bucket: try request.requiredBucket(), key: try request.requiredKey(),
            versionID: try HeaderDecoding.versionID(request),
            tags: try TagDecoding.document(document, limit: ServiceLimits.tagsOfAnObject))
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        var response = WireResponse()
        ResponseHeaders.version(output.versionID, &response)
        return response
    }
}
