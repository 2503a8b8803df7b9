import Primitives
package import S3Model
import XML

extension PutBucketVersioning: WireOperation {
    package static let payload = PayloadKind.document(limit: ServiceLimits.documentSize)

    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        let root = try Document.parse(document, root: "VersioningConfiguration")
        if let delete = root.child("MFADelete") ?? root.child("MfaDelete"),
            delete.text.utf8.elementsEqual("Enabled".utf8)
        {
            throw S3Error(.notImplemented, "MFA delete is not implemented.")
        }
        guard let status = root.child("Status"), let state = VersioningState(rawValue: status.text) else {
            throw S3Error(.malformedXML)
        }
        return Input(bucket: try request.requiredBucket(), state: state)
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        WireResponse()
    }
}
