import Primitives
package import S3Model
import XML

extension CompleteMultipartUpload: WireOperation {
    package static let payload = PayloadKind.document(limit: ServiceLimits.documentSize)
    package static let checksumIsOfDocument = false

    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        let root = try Document.parse(document, root: "CompleteMultipartUpload")
        let elements = root.children("Part")
        guard (1...ServiceLimits.partNumbers.upperBound).contains(elements.count) else { throw S3Error(.malformedXML) }
        var parts: [Part] = []
        for element in elements { parts.append(try part(element)) }
        var size: Int64?
        if let text = request.fields["x-amz-mp-object-size"] {
            guard let value = Int64(text), value >= 0 else {
                throw S3Error(.invalidRequest, "Value for x-amz-mp-object-size header is invalid.")
            }
            size = value
        }
        return Input(
            bucket: try request.requiredBucket(), key: try request.requiredKey(),
            upload: request.query["uploadId"] ?? "",
            parts: parts, preconditions: HeaderDecoding.writePreconditions(request.fields),
            checksum: try ChecksumDecoding.request(request.fields), size: size)
    }

    private static func part(_ element: XMLElement) throws(S3Error) -> Part {
        guard let text = element.child("PartNumber")?.text, let number = Int(text.trimmingSpaces),
            let etag = element.child("ETag")?.text
        else { throw S3Error(.malformedXML) }
        guard ServiceLimits.partNumbers.contains(number) else {
            throw S3Error(
                .invalidArgument, "Part number must be an integer between 1 and 10000, inclusive",
                details: [S3Error.Detail("ArgumentName", "partNumber"), S3Error.Detail("ArgumentValue", text)])
        }
        var checksums: [String: [UInt8]] = [:]
        for (algorithm, length) in ChecksumDecoding.lengths {
            guard let value = element.child("Checksum" + algorithm)?.text else { continue }
            checksums[algorithm] = try ChecksumDecoding.value(value, length, algorithm)
        }
        return Part(number: number, etag: HeaderDecoding.entityTag(etag), checksums: checksums)
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        let xml = XMLWriter.document("CompleteMultipartUploadResult") { writer in
            writer.element(
                "Location", "/\(output.bucket)/\(PercentCoding.encode(output.key.bytes, keepingSlash: true))")
            writer.element("Bucket", output.bucket)
            writer.element("Key", output.key.description)
            writer.element("ETag", "\"\(output.etag)\"")
            if let checksum = output.checksum { Elements.checksum(checksum, &writer) }
        }
        var response = WireResponse(xml: xml)
        ResponseHeaders.version(output.versionID, &response)
        return response
    }
}
