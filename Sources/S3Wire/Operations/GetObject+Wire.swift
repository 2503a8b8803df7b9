import Primitives
package import S3Model

extension GetObject: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        try ObjectReadDecoding.input(request)
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        ResponseHeaders.object(output, for: input)
    }
}
