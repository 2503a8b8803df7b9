import Cryptography
import NIOCore
import Primitives

/// Passes bytes on and, at their end, compares their SHA-256 with the signed one.
struct SHA256CheckedSource: BodySource {
    private let expected: [UInt8]
    private var source: any BodySource
    private let digest = Digest(.sha256)

    init(expected: [UInt8], source: any BodySource) {
        self.expected = expected
        self.source = source
    }

    /// - Throws: `BodyError` of kind `contentSHA256Mismatch` at the end, and what the source throws.
    mutating func next() async throws(BodyError) -> ByteBuffer? {
        if let buffer = try await source.next() {
            digest.update(buffer)
            return buffer
        }
        guard constantTimeEqual(digest.finalize(), expected) else {
            throw BodyError(
                .contentSHA256Mismatch,
                "The provided 'x-amz-content-sha256' header does not match what was computed.")
        }
        return nil
    }
}
