import Primitives
package import S3Model
import XML

extension ListObjectsV2: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        guard request.query["list-type"] == "2" else {
            throw S3Error(
                .invalidArgument, "Invalid List Type specified in Query",
                details: [S3Error.Detail("ArgumentName", "list-type")])
        }
        if let token = request.query["continuation-token"], token.isEmpty {
            throw S3Error(
                .invalidArgument, "The continuation token provided is incorrect",
                details: [S3Error.Detail("ArgumentName", "continuation-token")])
        }
        return Input(
            bucket: try request.requiredBucket(), prefix: ListingDecoding.bytes(request, "prefix"),
            delimiter: ListingDecoding.bytes(request, "delimiter"),
            limit: try ListingDecoding.limit(request, "max-keys"),
            startAfter: request.query["start-after"].map { Array($0.utf8) },
            token: request.query["continuation-token"],
            wantsOwner: request.query["fetch-owner"] == "true", encodesKeys: try ListingDecoding.encodesKeys(request))
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        let listing = output.listing
        let keys = KeyEncoding(isPercent: input.encodesKeys)
        let xml = XMLWriter.document("ListBucketResult") { writer in
            writer.element("Name", input.bucket)
            keys.element("Prefix", input.prefix, &writer)
            if let start = input.startAfter { keys.element("StartAfter", start, &writer) }
            if let token = input.token { writer.element("ContinuationToken", token) }
            if let next = listing.next { writer.element("NextContinuationToken", ListingDecoding.token(next)) }
            writer.element("KeyCount", String(listing.objects.count + listing.commonPrefixes.count))
            writer.element("MaxKeys", String(input.limit))
            if !input.delimiter.isEmpty { keys.element("Delimiter", input.delimiter, &writer) }
            writer.element("IsTruncated", listing.next == nil ? "false" : "true")
            if input.encodesKeys { writer.element("EncodingType", "url") }
            Elements.objects(listing.objects, owner: input.wantsOwner ? output.owner : nil, keys, &writer)
            Elements.commonPrefixes(listing.commonPrefixes, keys, &writer)
        }
        return WireResponse(xml: xml)
    }
}
