import Primitives
package import S3Model
import XML

extension ListObjects: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        Input(
            bucket: try request.requiredBucket(), prefix: ListingDecoding.bytes(request, "prefix"),
            delimiter: ListingDecoding.bytes(request, "delimiter"),
            limit: try ListingDecoding.limit(request, "max-keys"),
            marker: ListingDecoding.bytes(request, "marker"), encodesKeys: try ListingDecoding.encodesKeys(request))
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        let listing = output.listing
        let keys = KeyEncoding(isPercent: input.encodesKeys)
        let xml = XMLWriter.document("ListBucketResult") { writer in
            writer.element("Name", input.bucket)
            keys.element("Prefix", input.prefix, &writer)
            keys.element("Marker", input.marker, &writer)
            // The marker of the next page is only named where a delimiter is; otherwise it is the last key.
            if let next = listing.next, !input.delimiter.isEmpty { keys.element("NextMarker", next, &writer) }
            writer.element("MaxKeys", String(input.limit))
            if !input.delimiter.isEmpty { keys.element("Delimiter", input.delimiter, &writer) }
            writer.element("IsTruncated", listing.next == nil ? "false" : "true")
            if input.encodesKeys { writer.element("EncodingType", "url") }
            Elements.objects(listing.objects, owner: output.owner, keys, &writer)
            Elements.commonPrefixes(listing.commonPrefixes, keys, &writer)
        }
        return WireResponse(xml: xml)
    }
}
