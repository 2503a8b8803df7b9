import Primitives
package import S3Model

/// Reads what copies share.
package enum CopyDecoding {
    /// `x-amz-copy-source`: `bucket/key`, encoded as in a form (`+` is a space), with or without a leading slash and a
    /// `?versionId=`. It is decoded once, and the key is taken as it is (CVE-2026-55874). A `?` that does not begin a
    /// version id is part of the key.
    /// - Throws: `InvalidArgument`.
    package static func source(_ request: WireRequest) throws(S3Error) -> CopySource {
        let header = request.fields["x-amz-copy-source"] ?? ""
        var raw = Substring(header).utf8
        var version: VersionID?
        let beginning = "?versionId=".utf8
        if let mark = raw.lastIndex(of: UInt8(ascii: "?")), raw[mark...].starts(with: beginning) {
            guard let text = PercentCoding.decode(raw[mark...].dropFirst(beginning.count)),
                let id = VersionID(String(decoding: text, as: UTF8.self))
            else { throw invalid("Invalid version id specified", header) }
            version = id
            raw = raw[..<mark]
        }
        guard let decoded = PercentCoding.decode(raw, plusIsSpace: true) else {
            throw invalid("Invalid copy source encoding.", header)
        }
        var path = decoded[...]
        if path.first == UInt8(ascii: "/") { path = path.dropFirst() }
        guard let slash = path.firstIndex(of: UInt8(ascii: "/")), slash > path.startIndex,
            let key = ObjectKey(Array(path[path.index(after: slash)...])),
            let bucket = String(validating: path[..<slash], as: UTF8.self)
        else { throw invalid("Invalid copy source object key", header) }
        guard BucketName.isValid(bucket) else { throw invalid("Invalid copy source bucket name", header) }
        return CopySource(bucket: bucket, key: key, versionID: version)
    }

    private static func invalid(_ message: String, _ header: String) -> S3Error {
        S3Error(
            .invalidArgument, message,
            details: [
                S3Error.Detail("ArgumentName", "x-amz-copy-source"), S3Error.Detail("ArgumentValue", header),
            ])
    }

    /// Whether a directive says REPLACE.
    static func replaces(_ request: WireRequest, _ name: String) throws(S3Error) -> Bool {
        switch request.fields[name] {
        case nil, "COPY": return false
        case "REPLACE": return true
        case let other?:
            throw S3Error(
                .invalidArgument, "Unknown directive.",
                details: [S3Error.Detail("ArgumentName", name), S3Error.Detail("ArgumentValue", other)])
        }
    }

    static func checksumAlgorithm(_ request: WireRequest) throws(S3Error) -> String? {
        guard let name = request.fields["x-amz-checksum-algorithm"] else { return nil }
        return try ChecksumDecoding.algorithm(name)
    }

    /// `x-amz-copy-source-range`: `bytes=first-last`, both given.
    static func range(_ request: WireRequest) throws(S3Error) -> Range<Int64>? {
        guard let text = request.fields["x-amz-copy-source-range"] else { return nil }
        guard case .from(let first, let last?) = HeaderDecoding.range(text), last < .max else {
            throw S3Error(
                .invalidArgument,
                "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are "
                    + "the zero-based offsets of the first and last bytes to copy",
                details: [
                    S3Error.Detail("ArgumentName", "x-amz-copy-source-range"), S3Error.Detail("ArgumentValue", text),
                ])
        }
        return first..<(last + 1)
    }
}
