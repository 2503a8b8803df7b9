import Primitives
package import S3Model
import XML

extension GetBucketVersioning: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        Input(bucket: try request.requiredBucket())
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        WireResponse(
            xml: XMLWriter.document("VersioningConfiguration") { writer in
                if let state = output.state { writer.element("Status", state.rawValue) }
            })
    }
}
