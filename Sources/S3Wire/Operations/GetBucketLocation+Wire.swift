import Primitives
package import S3Model
import XML

extension GetBucketLocation: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        Input(bucket: try request.requiredBucket())
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        // us-east-1 is written as an empty element.
        let isClassic = output.region.utf8.elementsEqual("us-east-1".utf8)
        return WireResponse(
            xml: XMLWriter.document("LocationConstraint") { writer in
                if !isClassic { writer.text(output.region) }
            })
    }
}
