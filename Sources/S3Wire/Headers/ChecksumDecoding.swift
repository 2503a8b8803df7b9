package import Primitives
package import S3Model

/// Reads what a client says about checksums.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>
package enum ChecksumDecoding {
    /// The algorithms, as S3 spells them, with the bytes of their values.
    package static let lengths: [String: Int] = [
        "CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32, "SHA512": 64, "MD5": 16, "XXHASH64": 8,
        "XXHASH3": 8, "XXHASH128": 16,
    ]

    package static func headerName(_ algorithm: String) -> String { "x-amz-checksum-" + algorithm.lowercased() }

    /// - Throws: `InvalidDigest` for a Content-MD5 that is none, `InvalidRequest` for checksums that are none, are
    ///   several, or disagree with the algorithm that is named.
    package static func request(_ fields: HeaderFields) throws(S3Error) -> ChecksumRequest {
        var request = ChecksumRequest()
        if let text = fields["content-md5"] {
            guard let value = Base64.decode(text), value.count == 16 else {
                throw S3Error(.invalidDigest, details: [S3Error.Detail("Content-MD5", text)])
            }
            request.contentMD5 = value
        }
        if let text = fields["x-amz-checksum-type"] { request.isComposite = try isComposite(text) }
        try readValue(fields, &request)
        try readTrailer(fields, &request)
        let named = fields["x-amz-sdk-checksum-algorithm"] ?? fields["x-amz-checksum-algorithm"]
        if let named {
            let algorithm = try algorithm(named)
            if let given = request.algorithm, !given.utf8.elementsEqual(algorithm.utf8) {
                throw S3Error(.invalidRequest, "Value for x-amz-sdk-checksum-algorithm header is invalid.")
            }
            // AWS wants the checksum of an algorithm that is named in x-amz-sdk-checksum-algorithm; a client that sends
            // none is served, since the server computes one anyway.
            request.algorithm = algorithm
        }
        return request
    }

    /// An algorithm by its name in either case.
    package static func algorithm(_ name: String) throws(S3Error) -> String {
        let upper = name.uppercased()
        guard lengths[upper] != nil else {
            throw S3Error(
                .invalidRequest,
                "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
                    + "[\(lengths.keys.sorted().joined(separator: ", "))]"
            )
        }
        return upper
    }

    package static func isComposite(_ text: String) throws(S3Error) -> Bool {
        switch text.uppercased() {
        case "COMPOSITE": true
        case "FULL_OBJECT": false
        default: throw S3Error(.invalidRequest, "Value for x-amz-checksum-type header is invalid.")
        }
    }

    private static func readValue(_ fields: HeaderFields, _ request: inout ChecksumRequest) throws(S3Error) {
        for (algorithm, length) in lengths.sorted(by: { $0.key < $1.key }) {
            guard let text = fields[headerName(algorithm)] else { continue }
            guard request.algorithm == nil else {
                throw S3Error(
                    .invalidRequest,
                    "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
            }
            request.algorithm = algorithm
            request.value = try value(text, length, algorithm)
        }
    }

    /// The bytes of a checksum's value. A composite one ends in `-` and the number of parts.
    package static func value(_ text: String, _ length: Int, _ algorithm: String) throws(S3Error) -> [UInt8] {
        let digest = text.utf8.prefix { $0 != UInt8(ascii: "-") }
        guard let value = Base64.decode(Substring(digest)), value.count == length else {
            throw S3Error(.invalidRequest, "Value for \(headerName(algorithm)) header is invalid.")
        }
        return value
    }

    private static func readTrailer(_ fields: HeaderFields, _ request: inout ChecksumRequest) throws(S3Error) {
        guard let trailer = fields["x-amz-trailer"] else { return }
        for name in trailer.utf8.split(separator: UInt8(ascii: ",")) {
            let name = String(Substring(name)).trimmingSpaces.lowercased()
            guard let algorithm = lengths.keys.first(where: { headerName($0).utf8.elementsEqual(name.utf8) }) else {
                throw S3Error(.invalidRequest, "The value specified in the x-amz-trailer header is not supported")
            }
            guard request.algorithm == nil else {
                throw S3Error(.invalidRequest, "Expecting a single x-amz-checksum- header")
            }
            request.algorithm = algorithm
            request.isInTrailer = true
        }
    }
}
