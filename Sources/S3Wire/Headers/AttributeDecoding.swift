import Primitives
package import S3Model

/// Reads what an object is to carry beside its bytes.
package enum AttributeDecoding {
    static let systemHeaders = [
        "content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires",
        "x-amz-website-redirect-location",
    ]

    static let storageClasses: Set<String> = [
        "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE",
        "GLACIER_IR",
    ]

    /// Everything that the header fields of a write say of the object.
    /// - Throws: `MetadataTooLarge`, `InvalidStorageClass`, `InvalidTag`, `InvalidArgument`, `InvalidRedirectLocation`.
    package static func attributes(_ request: WireRequest) throws(S3Error) -> ObjectAttributes {
        var attributes = ObjectAttributes()
        for name in systemHeaders {
            guard let value = request.fields[name] else { continue }
            attributes.headers[name] = name == "content-encoding" ? withoutFraming(value) : value
        }
        if let location = attributes.headers["x-amz-website-redirect-location"],
            !["/", "http://", "https://"].contains(where: { location.utf8.starts(with: $0.utf8) })
        {
            throw S3Error(.invalidRedirectLocation)
        }
        attributes.metadata = try metadata(request)
        if let storageClass = request.fields["x-amz-storage-class"] {
            guard storageClasses.contains(storageClass) else {
                throw S3Error(
                    .invalidStorageClass, details: [S3Error.Detail("StorageClassRequested", storageClass)])
            }
            if !storageClass.utf8.elementsEqual("STANDARD".utf8) { attributes.storageClass = storageClass }
        }
        if let tagging = request.fields["x-amz-tagging"] { attributes.tags = try TagDecoding.header(tagging) }
        return attributes
    }

    /// `aws-chunked` is how the bytes travel, not how the object is encoded: it is not stored. A value without it is
    /// stored as it is written.
    static func withoutFraming(_ value: String) -> String? {
        let codings = value.utf8.split(separator: UInt8(ascii: ",")).map { String(Substring($0)).trimmingSpaces }
        let kept = codings.filter { !$0.utf8.elementsEqual("aws-chunked".utf8) && !$0.isEmpty }
        guard kept.count < codings.count else { return value }
        return kept.isEmpty ? nil : kept.joined(separator: ",")
    }

    private static func metadata(_ request: WireRequest) throws(S3Error) -> [String: String] {
        var metadata: [String: String] = [:]
        var size = 0
        for field in request.fields.fields where field.name.utf8.starts(with: "x-amz-meta-".utf8) {
            let name = String(field.name.dropFirst("x-amz-meta-".count))
            guard !name.isEmpty else { continue }
            size += name.utf8.count + field.value.utf8.count
            // The same name twice is one list, as for every other header field (RFC 9110 §5.3).
            if let earlier = metadata[name] {
                metadata[name] = earlier + "," + field.value
            } else {
                metadata[name] = field.value
            }
        }
        guard size <= ServiceLimits.metadataSize else {
            throw S3Error(
                .metadataTooLarge,
                details: [
                    S3Error.Detail("Size", String(size)),
                    S3Error.Detail("MaxSizeAllowed", String(ServiceLimits.metadataSize)),
                ])
        }
        return metadata
    }
}

extension String {
    /// Without spaces and tabs at its ends.
    var trimmingSpaces: String {
        var bytes = utf8[...]
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        return String(Substring(bytes))
    }
}
