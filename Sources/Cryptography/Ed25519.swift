/// Signatures by Ed25519 (RFC 8032 §5.1, without context or pre-hash).
package enum Ed25519 {
    package static let seedLength = 32
    package static let publicKeyLength = 32
    package static let signatureLength = 64

    /// The 32 bytes of the public key that belongs to a private key's 32-byte seed.
    ///
    /// - Throws: `invalidParameter` where the seed has another length, `unavailable` where OpenSSL refuses.
    package static func publicKey(seed: [UInt8]) throws(CryptographyError) -> [UInt8] {
        try check(seed)
        guard let key = OpenSSLFunctions.ed25519PublicKey(seed: seed) else { throw refused }
        return key
    }

    /// The 64 bytes of the signature of a message.
    ///
    /// - Throws: `invalidParameter` where the seed has another length, `unavailable` where OpenSSL refuses.
    package static func sign(_ message: [UInt8], seed: [UInt8]) throws(CryptographyError) -> [UInt8] {
        try check(seed)
        guard let signature = OpenSSLFunctions.ed25519Sign(message, seed: seed) else { throw refused }
        return signature
    }

    /// Whether the signature is the message's under that key. A key or signature of another length is never good.
    package static func verify(_ signature: [UInt8], of message: [UInt8], publicKey: [UInt8]) -> Bool {
        guard signature.count == signatureLength, publicKey.count == publicKeyLength else { return false }
        return OpenSSLFunctions.ed25519Verify(signature, of: message, publicKey: publicKey)
    }

    private static func check(_ seed: [UInt8]) throws(CryptographyError) {
        guard seed.count == seedLength else {
            throw CryptographyError(.invalidParameter, "A seed has \(seedLength) bytes, not \(seed.count).")
        }
    }

    private static var refused: CryptographyError { CryptographyError(.unavailable, "OpenSSL could not sign.") }
}
