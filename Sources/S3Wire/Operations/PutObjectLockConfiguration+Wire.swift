import Primitives
package import S3Model

extension PutObjectLockConfiguration: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        Input(bucket: try request.requiredBucket())
    }

    package static func encode(_ output: Never, for input: Input) -> WireResponse {}
}
