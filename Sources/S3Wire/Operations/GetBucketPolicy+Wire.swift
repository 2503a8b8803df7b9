import Primitives
package import S3Model

extension GetBucketPolicy: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        Input(bucket: try request.requiredBucket())
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        WireResponse(fields: ["content-type": "application/json"], body: output.policy)
    }
}
