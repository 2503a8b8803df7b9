import Primitives
package import S3Model

extension AbortMultipartUpload: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        Input(
            bucket: try request.requiredBucket(), key: try request.requiredKey(),
            upload: request.query["uploadId"] ?? "",
            ifMatchInitiated: try HeaderDecoding.time(
                request.fields["x-amz-if-match-initiated-time"], "x-amz-if-match-initiated-time"))
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        WireResponse(status: 204)
    }
}
