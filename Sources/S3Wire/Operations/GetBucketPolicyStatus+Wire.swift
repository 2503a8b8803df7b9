import Primitives
package import S3Model
import XML

extension GetBucketPolicyStatus: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        Input(bucket: try request.requiredBucket())
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        WireResponse(
            xml: XMLWriter.document("PolicyStatus") { writer in
                writer.element("IsPublic", output.isPublic ? "TRUE" : "FALSE")
            })
    }
}
