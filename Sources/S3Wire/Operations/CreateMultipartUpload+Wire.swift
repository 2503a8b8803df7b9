import Primitives
package import S3Model
import XML

extension CreateMultipartUpload: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        var algorithm: String?
        if let name = request.fields["x-amz-checksum-algorithm"] { algorithm = try ChecksumDecoding.algorithm(name) }
        var isComposite: Bool?
        if let type = request.fields["x-amz-checksum-type"] {
            isComposite = try ChecksumDecoding.isComposite(type)
            guard algorithm != nil else {
                throw S3Error(
                    .invalidRequest,
                    "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
            }
        }
        return Input(
            bucket: try request.requiredBucket(), key: try request.requiredKey(),
            attributes: try AttributeDecoding.attributes(request), checksumAlgorithm: algorithm,
            isComposite: isComposite)
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        let xml = XMLWriter.document("InitiateMultipartUploadResult") { writer in
            writer.element("Bucket", output.bucket)
            writer.element("Key", output.key.description)
            writer.element("UploadId", output.upload)
        }
        var response = WireResponse(xml: xml)
        if let algorithm = output.checksumAlgorithm {
            response.fields["x-amz-checksum-algorithm"] = algorithm
            response.fields["x-amz-checksum-type"] = output.isComposite ? "COMPOSITE" : "FULL_OBJECT"
        }
        return response
    }
}
