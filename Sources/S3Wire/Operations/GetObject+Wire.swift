import Primitives
package import S3Model

extension GetObject: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        let read = try ObjectReadDecoding.fields(request)
        return Input(
            bucket: try request.requiredBucket(), key: try request.requiredKey(), versionID: read.versionID,
            partNumber: read.partNumber, range: read.range, preconditions: read.preconditions,
            overrides: read.overrides,
            wantsChecksum: read.wantsChecksum)
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        ResponseHeaders.object(
            output.summary, range: output.range, tagCount: output.tagCount, overrides: input.overrides,
            wantsChecksum: input.wantsChecksum, partNumber: input.partNumber)
    }
}
