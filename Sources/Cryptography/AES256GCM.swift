/// AES-256 in Galois/Counter Mode (NIST SP 800-38D) with 96-bit nonces and 128-bit tags, and nothing else.
package enum AES256GCM {
    package static let keyLength = 32
    package static let nonceLength = 12
    package static let tagLength = 16
    /// The most bytes in one call; longer data is sealed in frames.
    package static let maximumLength = 1 << 30

    /// Encrypts, and authenticates what is encrypted together with `data`, which stays in the clear.
    ///
    /// - Parameter nonce: 12 bytes, never used twice with one key.
    /// - Returns: the cipher text, as long as the plain text, followed by the 16 bytes of the tag.
    /// - Throws: `invalidParameter` for a key, nonce or text of a wrong length, `unavailable` without memory.
    package static func seal(
        _ plaintext: [UInt8], key: [UInt8], nonce: [UInt8], authenticating data: [UInt8] = []
    ) throws(CryptographyError) -> [UInt8] {
        try check(key: key, nonce: nonce, count: plaintext.count, data: data)
        guard let sealed = OpenSSLFunctions.seal(plaintext, key: key, nonce: nonce, data: data) else {
            throw CryptographyError(.unavailable, "OpenSSL could not encrypt.")
        }
        return sealed
    }

    /// Checks and decrypts what `seal` gave.
    ///
    /// - Throws: `authenticationFailed` where anything differs from what was sealed, `invalidParameter` for a key,
    ///   nonce or text of a wrong length, `unavailable` without memory. No plain text leaves before the tag was
    ///   checked.
    package static func open(
        _ sealed: [UInt8], key: [UInt8], nonce: [UInt8], authenticating data: [UInt8] = []
    ) throws(CryptographyError) -> [UInt8] {
        guard sealed.count >= tagLength else {
            throw CryptographyError(.invalidParameter, "Sealed bytes end in a tag of \(tagLength) bytes.")
        }
        try check(key: key, nonce: nonce, count: sealed.count - tagLength, data: data)
        return try OpenSSLFunctions.open(sealed, key: key, nonce: nonce, data: data)
    }

    private static func check(
        key: [UInt8], nonce: [UInt8], count: Int, data: [UInt8]
    ) throws(CryptographyError) {
        guard key.count == keyLength else {
            throw CryptographyError(.invalidParameter, "A key has \(keyLength) bytes, not \(key.count).")
        }
        guard nonce.count == nonceLength else {
            throw CryptographyError(.invalidParameter, "A nonce has \(nonceLength) bytes, not \(nonce.count).")
        }
        guard count <= maximumLength, data.count <= maximumLength else {
            throw CryptographyError(.invalidParameter, "At most \(maximumLength) bytes are sealed in one call.")
        }
    }
}
