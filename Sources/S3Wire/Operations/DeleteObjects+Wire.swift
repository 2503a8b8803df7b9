import Primitives
package import S3Model
import XML

extension DeleteObjects: WireOperation {
    package static let payload = PayloadKind.document(limit: ServiceLimits.documentSize)

    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        // S3 wants an integrity check of the list: a lost line would be a delete that nobody asked for, or one left
        // out.
        let checksum = try ChecksumDecoding.request(request.fields)
        guard checksum.contentMD5 != nil || checksum.algorithm != nil else {
            throw S3Error(.invalidRequest, "Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
        }
        let root = try Document.parse(document, root: "Delete")
        let elements = root.children("Object")
        guard (1...ServiceLimits.deletesAtOnce).contains(elements.count) else { throw S3Error(.malformedXML) }
        var items: [Item] = []
        for element in elements { items.append(try item(element)) }
        let quiet = root.child("Quiet")?.text.lowercased() == "true"
        return Input(bucket: try request.requiredBucket(), items: items, isQuiet: quiet)
    }

    private static func item(_ element: XMLElement) throws(S3Error) -> Item {
        guard let text = element.child("Key")?.text, !text.isEmpty else { throw S3Error(.malformedXML) }
        guard let key = ObjectKey(text) else { throw S3Error(.keyTooLong) }
        let version = element.child("VersionId")?.text
        let id = version.flatMap { $0.isEmpty ? nil : VersionID($0) }
        let isInvalid = version.map { !$0.isEmpty } == true && id == nil
        return Item(
            key: key, versionID: id, invalidVersion: isInvalid ? version : nil,
            preconditions: try HeaderDecoding.deletePreconditions(
                etag: element.child("ETag")?.text, modified: element.child("LastModifiedTime")?.text,
                size: element.child("Size")?.text))
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        let xml = XMLWriter.document("DeleteResult") { writer in
            for result in output.results {
                switch result.outcome {
                case .deleted(let deleted):
                    if !output.isQuiet { self.deleted(result.item, deleted, &writer) }
                case .failed(let code, let message):
                    writer.element("Error") { writer in
                        writer.element("Key", result.item.key.description)
                        if let version = result.item.versionID?.description ?? result.item.invalidVersion {
                            writer.element("VersionId", version)
                        }
                        writer.element("Code", code)
                        writer.element("Message", message)
                    }
                }
            }
        }
        return WireResponse(xml: xml)
    }

    private static func deleted(_ item: Item, _ output: DeleteObject.Output, _ writer: inout XMLWriter) {
        writer.element("Deleted") { writer in
            writer.element("Key", item.key.description)
            if let version = item.versionID { writer.element("VersionId", version.description) }
            if output.isDeleteMarker {
                writer.element("DeleteMarker", "true")
                if let version = output.versionID { writer.element("DeleteMarkerVersionId", version.description) }
            }
        }
    }
}
