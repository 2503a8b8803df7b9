import Cryptography
package import Primitives

/// The chain of signatures over the chunks of a payload: each signs its chunk and the signature before it, the first
/// that of the request itself.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>
package struct ChunkSignatures: Sendable {
    private static let emptyHash = Hex.encode(Digest.hash(.sha256, []))

    private let key: SigningKey
    private let date: String
    private var previous: String

    /// - Parameter seed: the signature of the request.
    package init(key: SigningKey, date: Timestamp, seed: String) {
        self.key = key
        self.date = date.iso8601Basic
        previous = seed
    }

    /// The signature of the next chunk; the last one is empty.
    package mutating func sign(chunkSHA256: [UInt8]) -> String {
        advance(to: key.signature(of: text(ofChunk: chunkSHA256)))
    }

    /// The signature of the trailer that follows the last chunk.
    package mutating func sign(trailer: HeaderFields) -> String {
        advance(to: key.signature(of: text(ofTrailer: trailer)))
    }

    /// Whether this is the signature of the next chunk. The chain goes on only if it is.
    mutating func verify(_ signature: String, chunkSHA256: [UInt8]) -> Bool {
        guard key.verifies(signature, of: text(ofChunk: chunkSHA256)) else { return false }
        previous = signature
        return true
    }

    /// Whether this is the signature of the trailer.
    mutating func verify(_ signature: String, trailer: HeaderFields) -> Bool {
        guard key.verifies(signature, of: text(ofTrailer: trailer)) else { return false }
        previous = signature
        return true
    }

    private mutating func advance(to signature: String) -> String {
        previous = signature
        return signature
    }

    private func text(ofChunk digest: [UInt8]) -> [UInt8] {
        let hash = Hex.encode(digest)
        return Array("AWS4-HMAC-SHA256-PAYLOAD\n\(date)\n\(key.scope)\n\(previous)\n\(Self.emptyHash)\n\(hash)".utf8)
    }

    private func text(ofTrailer trailer: HeaderFields) -> [UInt8] {
        let lines = trailer.fields.map { "\($0.name):\($0.value)\n" }.joined()
        let digest = Hex.encode(Digest.hash(.sha256, Array(lines.utf8)))
        return Array("AWS4-HMAC-SHA256-TRAILER\n\(date)\n\(key.scope)\n\(previous)\n\(digest)".utf8)
    }
}
