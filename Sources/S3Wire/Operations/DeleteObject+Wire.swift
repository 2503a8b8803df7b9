import Primitives
package import S3Model

extension DeleteObject: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        Input(
            bucket: try request.requiredBucket(), key: try request.requiredKey(),
            versionID: try HeaderDecoding.versionID(request),
            preconditions: try HeaderDecoding.deletePreconditions(
                etag: request.fields["if-match"], modified: request.fields["x-amz-if-match-last-modified-time"],
                size: request.fields["x-amz-if-match-size"]))
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        var response = WireResponse(status: 204)
        ResponseHeaders.version(output.versionID, &response)
        if output.isDeleteMarker { response.fields["x-amz-delete-marker"] = "true" }
        return response
    }
}
