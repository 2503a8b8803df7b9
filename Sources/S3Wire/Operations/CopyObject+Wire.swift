import Primitives
package import S3Model
import XML

extension CopyObject: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        let replacesMetadata = try CopyDecoding.replaces(request, "x-amz-metadata-directive")
        let replacesTags = try CopyDecoding.replaces(request, "x-amz-tagging-directive")
        var attributes = try AttributeDecoding.attributes(request)
        if !replacesTags { attributes.tags = [] }
        return Input(
            bucket: try request.requiredBucket(), key: try request.requiredKey(),
            source: try CopyDecoding.source(request),
            sourcePreconditions: HeaderDecoding.preconditions(request.fields, prefix: "x-amz-copy-source-"),
            preconditions: HeaderDecoding.writePreconditions(request.fields), attributes: attributes,
            replacesMetadata: replacesMetadata, replacesTags: replacesTags,
            checksumAlgorithm: try CopyDecoding.checksumAlgorithm(request))
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        let xml = XMLWriter.document("CopyObjectResult") { writer in
            writer.element("LastModified", output.modified.iso8601)
            writer.element("ETag", "\"\(output.etag)\"")
            if let checksum = output.checksum { Elements.checksum(checksum, &writer) }
        }
        var response = WireResponse(xml: xml)
        ResponseHeaders.version(output.versionID, &response)
        response.fields["x-amz-copy-source-version-id"] = output.sourceVersionID?.description
        return response
    }
}
