import Primitives

/// What a request says about the signature of its payload, in `x-amz-content-sha256`.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>
package enum PayloadMode: Sendable, Hashable {
    /// The whole payload has this SHA-256 (32 bytes).
    case sha256([UInt8])
    /// `UNSIGNED-PAYLOAD`
    case unsigned
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`
    case signedChunks
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`
    case signedChunksWithTrailer
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`
    case unsignedChunksWithTrailer

    /// The header that carries it.
    package static let headerName = "x-amz-content-sha256"

    /// Reads the header's value.
    ///
    /// - Throws: `NotImplemented` for the modes of SigV4A, `InvalidArgument` for anything unknown.
    package init(headerValue: String) throws(SigningError) {
        switch headerValue {
        case "UNSIGNED-PAYLOAD": self = .unsigned
        case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": self = .signedChunks
        case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": self = .signedChunksWithTrailer
        case "STREAMING-UNSIGNED-PAYLOAD-TRAILER": self = .unsignedChunksWithTrailer
        case "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER":
            throw .notImplemented("A header you provided implies functionality that is not implemented.")
        default:
            guard let digest = Hex.decode(headerValue), digest.count == 32,
                !headerValue.utf8.contains(where: { (0x41...0x46).contains($0) })
            else {
                throw .invalidArgument(
                    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
                        + "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "
                        + "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER "
                        + "or a valid sha256 value.", name: Self.headerName, value: headerValue)
            }
            self = .sha256(digest)
        }
    }

    /// The header's value, which is also the last line of a canonical request.
    package var headerValue: String {
        switch self {
        case .sha256(let digest): Hex.encode(digest)
        case .unsigned: "UNSIGNED-PAYLOAD"
        case .signedChunks: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
        case .signedChunksWithTrailer: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
        case .unsignedChunksWithTrailer: "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        }
    }

    /// Whether the payload comes in aws-chunked framing.
    package var isChunked: Bool {
        switch self {
        case .signedChunks, .signedChunksWithTrailer, .unsignedChunksWithTrailer: true
        case .sha256, .unsigned: false
        }
    }

    /// Whether each chunk carries a signature.
    package var signsChunks: Bool { self == .signedChunks || self == .signedChunksWithTrailer }

    /// Whether a trailer may follow the last chunk.
    package var hasTrailer: Bool { self == .signedChunksWithTrailer || self == .unsignedChunksWithTrailer }
}
