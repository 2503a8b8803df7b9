import Primitives
package import S3Model

extension UploadPart: WireOperation {
    package static let payload = PayloadKind.stream

    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        return Input(
            bucket: try request.requiredBucket(), key: try request.requiredKey(),
            upload: request.query["uploadId"] ?? "",
            partNumber: try PayloadDecoding.partNumber(request), length: try PayloadDecoding.length(request),
            checksum: try ChecksumDecoding.request(request.fields))
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        var response = WireResponse(fields: ["etag": "\"\(output.etag)\""])
        ResponseHeaders.checksum(output.checksum, &response, withType: false)
        return response
    }
}
