import Primitives
package import S3Model
import XML

extension ListMultipartUploads: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        let keyMarker = ListingDecoding.bytes(request, "key-marker")
        return Input(
            bucket: try request.requiredBucket(), prefix: ListingDecoding.bytes(request, "prefix"),
            delimiter: ListingDecoding.bytes(request, "delimiter"),
            limit: try ListingDecoding.limit(request, "max-uploads"), keyMarker: keyMarker,
            // Without a key marker, S3 ignores this one.
            uploadMarker: keyMarker.isEmpty ? nil : request.query["upload-id-marker"].flatMap { $0.isEmpty ? nil : $0 },
            encodesKeys: try ListingDecoding.encodesKeys(request))
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        let listing = output.listing
        let keys = KeyEncoding(isPercent: input.encodesKeys)
        let xml = XMLWriter.document("ListMultipartUploadsResult") { writer in
            writer.element("Bucket", input.bucket)
            keys.element("KeyMarker", input.keyMarker, &writer)
            writer.element("UploadIdMarker", input.uploadMarker ?? "")
            if let key = listing.nextKey { keys.element("NextKeyMarker", key, &writer) }
            if let upload = listing.nextUpload { writer.element("NextUploadIdMarker", upload) }
            keys.element("Prefix", input.prefix, &writer)
            if !input.delimiter.isEmpty { keys.element("Delimiter", input.delimiter, &writer) }
            writer.element("MaxUploads", String(input.limit))
            writer.element("IsTruncated", listing.nextKey == nil ? "false" : "true")
            if input.encodesKeys { writer.element("EncodingType", "url") }
            for upload in listing.uploads { Elements.upload(upload, owner: output.owner, keys, &writer) }
            Elements.commonPrefixes(listing.commonPrefixes, keys, &writer)
        }
        return WireResponse(xml: xml)
    }
}
