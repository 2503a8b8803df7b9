import Cryptography
package import Primitives

/// Puts the aws-chunked framing around the chunks of a payload.
package struct AWSChunkedEncoder: Sendable {
    private var signatures: ChunkSignatures?

    /// - Parameter signatures: the chain that signing the request gave; nil for unsigned chunks.
    package init(signatures: ChunkSignatures?) {
        self.signatures = signatures
    }

    /// One chunk of at least one byte.
    package mutating func chunk(_ bytes: [UInt8]) -> [UInt8] {
        head(bytes) + bytes + Self.lineEnd
    }

    /// The last chunk and the trailer; `trailer` is nil in a mode without one.
    package mutating func end(trailer: HeaderFields?) -> [UInt8] {
        var framed = head([])
        for field in trailer?.fields ?? [] {
            framed += Array("\(field.name):\(field.value)".utf8) + Self.lineEnd
        }
        if let trailer, let signature = signatures?.sign(trailer: trailer) {
            framed += Array("\(TrailerParser.signatureName):\(signature)".utf8) + Self.lineEnd
        }
        return framed + Self.lineEnd
    }

    private static let lineEnd: [UInt8] = [0x0D, 0x0A]

    private mutating func head(_ bytes: [UInt8]) -> [UInt8] {
        var line = String(bytes.count, radix: 16)
        if let signature = signatures?.sign(chunkSHA256: Digest.hash(.sha256, bytes)) {
            line += ";chunk-signature=\(signature)"
        }
        return Array(line.utf8) + Self.lineEnd
    }
}
