import Primitives
package import S3Model

extension AbortMultipartUpload: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        Input(
            bucket: try request.requiredBucket(), key: try request.requiredKey(),
            upload: request.query["uploadId"] ?? "",
            ifMatchInitiated: request.fields["x-amz-if-match-initiated-time"].flatMap { Timestamp(httpDate: $0) })
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        WireResponse(status: 204)
    }
}
