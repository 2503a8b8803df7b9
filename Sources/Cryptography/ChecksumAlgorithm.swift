/// A checksum that S3 keeps with an object. The raw values are those of the service model's `ChecksumAlgorithm`.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>
package enum ChecksumAlgorithm: String, CaseIterable, Sendable {
    case crc32 = "CRC32"
    case crc32c = "CRC32C"
    case crc64nvme = "CRC64NVME"
    case sha1 = "SHA1"
    case sha256 = "SHA256"
    case sha512 = "SHA512"
    case md5 = "MD5"
    case xxhash64 = "XXHASH64"
    case xxhash3 = "XXHASH3"
    case xxhash128 = "XXHASH128"

    /// The header or trailer field that carries the value in base 64, in lower case.
    package var headerName: String { Self.headerPrefix + rawValue.lowercased() }

    /// The name of the value in S3's XML, such as `ChecksumCRC32`.
    package var elementName: String { "Checksum" + rawValue }

    /// The length of a value in bytes.
    package var digestLength: Int {
        switch self {
        case .crc32, .crc32c: 4
        case .crc64nvme, .xxhash64, .xxhash3: 8
        case .md5, .xxhash128: 16
        case .sha1: 20
        case .sha256: 32
        case .sha512: 64
        }
    }

    /// Whether a multipart object can have a checksum of all its bytes: only where the parts' values can be combined,
    /// as those of a CRC can. (An object put in one piece always has one, by any algorithm.)
    package var supportsFullObjectMultipart: Bool {
        switch self {
        case .crc32, .crc32c, .crc64nvme: true
        case .sha1, .sha256, .sha512, .md5, .xxhash64, .xxhash3, .xxhash128: false
        }
    }

    /// Whether a multipart object can have a checksum of its parts' checksums. CRC64NVME alone cannot.
    package var supportsCompositeMultipart: Bool { self != .crc64nvme }

    /// The algorithm that a header or trailer field carries; nil for any other name. Names compare in lower case.
    package init?(headerName: String) {
        let name = headerName.utf8
        guard let match = Self.allCases.first(where: { $0.headerName.utf8.elementsEqual(name) }) else { return nil }
        self = match
    }

    private static let headerPrefix = "x-amz-checksum-"
}
