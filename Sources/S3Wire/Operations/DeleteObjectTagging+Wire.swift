import Primitives
package import S3Model

extension DeleteObjectTagging: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        Input(
            bucket: try request.requiredBucket(), key: try request.requiredKey(),
            versionID: try HeaderDecoding.versionID(request))
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        var response = WireResponse(status: 204)
        ResponseHeaders.version(output.versionID, &response)
        return response
    }
}
