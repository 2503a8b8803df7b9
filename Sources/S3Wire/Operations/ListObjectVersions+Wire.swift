import Primitives
package import S3Model
import XML

extension ListObjectVersions: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        let marker = request.query["version-id-marker"]
        let keyMarker = ListingDecoding.bytes(request, "key-marker")
        if let marker, !marker.isEmpty, keyMarker.isEmpty {
            throw S3Error(
                .invalidArgument, "A version-id marker cannot be specified without a key marker.",
                details: [S3Error.Detail("ArgumentName", "version-id-marker"), S3Error.Detail("ArgumentValue", marker)])
        }
        var version: VersionID?
        if let marker, !marker.isEmpty {
            guard let id = VersionID(marker) else {
                throw S3Error(
                    .invalidArgument, "Invalid version id specified",
                    details: [
                        S3Error.Detail("ArgumentName", "version-id-marker"), S3Error.Detail("ArgumentValue", marker),
                    ])
            }
            version = id
        }
        return Input(
            bucket: try request.requiredBucket(), prefix: ListingDecoding.bytes(request, "prefix"),
            delimiter: ListingDecoding.bytes(request, "delimiter"),
            limit: try ListingDecoding.limit(request, "max-keys"),
            keyMarker: keyMarker, versionMarker: version, encodesKeys: try ListingDecoding.encodesKeys(request))
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        let listing = output.listing
        let keys = KeyEncoding(isPercent: input.encodesKeys)
        let xml = XMLWriter.document("ListVersionsResult") { writer in
            writer.element("Name", input.bucket)
            keys.element("Prefix", input.prefix, &writer)
            keys.element("KeyMarker", input.keyMarker, &writer)
            writer.element("VersionIdMarker", input.versionMarker?.description ?? "")
            if let key = listing.nextKey { keys.element("NextKeyMarker", key, &writer) }
            if let version = listing.nextVersion { writer.element("NextVersionIdMarker", version.description) }
            writer.element("MaxKeys", String(input.limit))
            if !input.delimiter.isEmpty { keys.element("Delimiter", input.delimiter, &writer) }
            writer.element("IsTruncated", listing.nextKey == nil ? "false" : "true")
            if input.encodesKeys { writer.element("EncodingType", "url") }
            for version in listing.versions { Elements.version(version, owner: output.owner, keys, &writer) }
            Elements.commonPrefixes(listing.commonPrefixes, keys, &writer)
        }
        return WireResponse(xml: xml)
    }
}
