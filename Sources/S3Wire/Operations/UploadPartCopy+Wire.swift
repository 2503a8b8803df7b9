import Primitives
package import S3Model
import XML

extension UploadPartCopy: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        return Input(
            bucket: try request.requiredBucket(), key: try request.requiredKey(),
            upload: request.query["uploadId"] ?? "",
            partNumber: try PayloadDecoding.partNumber(request), source: try CopyDecoding.source(request),
            range: try CopyDecoding.range(request),
            sourcePreconditions: HeaderDecoding.preconditions(request.fields, prefix: "x-amz-copy-source-"))
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        let xml = XMLWriter.document("CopyPartResult") { writer in
            writer.element("LastModified", output.modified.iso8601)
            writer.element("ETag", "\"\(output.etag)\"")
            if let checksum = output.checksum { Elements.checksum(checksum, withType: false, &writer) }
        }
        var response = WireResponse(xml: xml)
        response.fields["x-amz-copy-source-version-id"] = output.sourceVersionID?.description
        return response
    }
}
