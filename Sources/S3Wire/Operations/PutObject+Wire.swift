import Primitives
package import S3Model

extension PutObject: WireOperation {
    package static let payload = PayloadKind.stream

    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        return Input(
            bucket: try request.requiredBucket(), key: try request.requiredKey(),
            attributes: try AttributeDecoding.attributes(request), length: try PayloadDecoding.length(request),
            checksum: try ChecksumDecoding.request(request.fields),
            preconditions: HeaderDecoding.writePreconditions(request.fields))
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        var response = WireResponse(fields: ["etag": "\"\(output.etag)\""])
        ResponseHeaders.version(output.versionID, &response)
        ResponseHeaders.checksum(output.checksum, &response)
        response.fields["x-amz-object-size"] = nil
        return response
    }
}
