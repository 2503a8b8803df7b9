import Primitives
package import S3Model
import XML

extension GetPublicAccessBlock: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        Input(bucket: try request.requiredBucket())
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        let block = output.block
        return WireResponse(
            xml: XMLWriter.document("PublicAccessBlockConfiguration") { writer in
                writer.element(PublicAccessBlockElement.blockPublicAcls, block.blockPublicAcls)
                writer.element(PublicAccessBlockElement.ignorePublicAcls, block.ignorePublicAcls)
                writer.element(PublicAccessBlockElement.blockPublicPolicy, block.blockPublicPolicy)
                writer.element(PublicAccessBlockElement.restrictPublicBuckets, block.restrictPublicBuckets)
            })
    }
}
