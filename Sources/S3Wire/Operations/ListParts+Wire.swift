import Primitives
package import S3Model
import XML

extension ListParts: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        Input(
            bucket: try request.requiredBucket(), key: try request.requiredKey(),
            upload: request.query["uploadId"] ?? "",
            limit: try ListingDecoding.limit(request, "max-parts"),
            marker: try HeaderDecoding.number(request, "part-number-marker", in: 0...Int(Int32.max), fallback: 0),
            encodesKeys: try ListingDecoding.encodesKeys(request))
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        let xml = XMLWriter.document("ListPartsResult") { writer in
            writer.element("Bucket", input.bucket)
            KeyEncoding(isPercent: input.encodesKeys).element("Key", input.key.bytes, &writer)
            writer.element("UploadId", input.upload)
            writer.element("PartNumberMarker", String(input.marker))
            writer.element("NextPartNumberMarker", String(output.parts.last?.number ?? input.marker))
            writer.element("MaxParts", String(input.limit))
            writer.element("IsTruncated", output.isTruncated ? "true" : "false")
            Elements.owner(output.initiator, name: "Initiator", &writer)
            Elements.owner(output.owner, &writer)
            writer.element("StorageClass", output.storageClass ?? "STANDARD")
            if let algorithm = output.checksumAlgorithm {
                writer.element("ChecksumAlgorithm", algorithm)
                writer.element("ChecksumType", output.isComposite ? "COMPOSITE" : "FULL_OBJECT")
            }
            for part in output.parts { Elements.part(part, name: "Part", &writer) }
        }
        return WireResponse(xml: xml)
    }
}
