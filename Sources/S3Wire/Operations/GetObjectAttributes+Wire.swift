import Primitives
package import S3Model
import XML

extension GetObjectAttributes: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        let header = request.fields.values("x-amz-object-attributes").joined(separator: ",")
        guard !header.trimmingSpaces.isEmpty else {
            throw S3Error(
                .invalidRequest,
                "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing "
                    + "or empty"
            )
        }
        let names = header.utf8.split(separator: UInt8(ascii: ",")).map { String(Substring($0)).trimmingSpaces }
        let known: Set<String> = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
        for name in names where !known.contains(name) {
            throw S3Error(
                .invalidArgument, "Invalid attribute name specified.",
                details: [
                    S3Error.Detail("ArgumentName", "x-amz-object-attributes"), S3Error.Detail("ArgumentValue", header),
                ])
        }
        return Input(
            bucket: try request.requiredBucket(), key: try request.requiredKey(),
            versionID: try HeaderDecoding.versionID(request), attributes: names,
            partLimit: try number(request.fields["x-amz-max-parts"], fallback: ServiceLimits.pageSize),
            partMarker: try number(request.fields["x-amz-part-number-marker"], fallback: 0))
    }

    private static func number(_ text: String?, fallback: Int) throws(S3Error) -> Int {
        guard let text else { return fallback }
        guard let value = Int(text), value >= 0 else { throw S3Error(.invalidArgument) }
        return min(value, ServiceLimits.partNumbers.upperBound)
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        let summary = output.summary
        let wanted = Set(input.attributes)
        let xml = XMLWriter.document("GetObjectAttributesResponse") { writer in
            if wanted.contains("ETag") { writer.element("ETag", summary.etag) }
            if wanted.contains("Checksum"), let checksum = summary.checksum {
                writer.element("Checksum") { writer in Elements.checksum(checksum, &writer) }
            }
            if wanted.contains("ObjectParts"), let count = summary.partCount {
                writer.element("ObjectParts") { writer in
                    writer.element("PartsCount", String(count))
                    writer.element("PartNumberMarker", String(input.partMarker))
                    writer.element("NextPartNumberMarker", String(output.parts.last?.number ?? input.partMarker))
                    writer.element("MaxParts", String(input.partLimit))
                    writer.element("IsTruncated", output.isTruncated ? "true" : "false")
                    // Also parts without checksums, which S3 leaves out: their sizes say where each begins.
                    for part in output.parts {
                        Elements.part(part, name: "Part", withETag: false, &writer)
                    }
                }
            }
            if wanted.contains("StorageClass") {
                writer.element("StorageClass", summary.attributes.storageClass ?? "STANDARD")
            }
            if wanted.contains("ObjectSize") { writer.element("ObjectSize", String(summary.size)) }
        }
        var response = WireResponse(xml: xml)
        ResponseHeaders.version(summary.versionID, &response)
        response.fields["last-modified"] = summary.modified.httpDate
        return response
    }
}
