import COpenSSL

/// The one-shot functions of OpenSSL.
///
/// In every one the buffers are borrowed for the length of the C call, which keeps no pointer to them; the lengths of
/// keys, nonces, tags and signatures, which the C side takes for granted, are checked by the callers (`AES256GCM`,
/// `Ed25519`).
enum OpenSSLFunctions {
    static func hmacSHA256(key: Span<UInt8>, message: Span<UInt8>) -> [UInt8] {
        unsafe code(32, key: key, message: message) { unsafe tg_hmac_sha256($0, $1, $2, $3, $4) }
    }

    static func hmacSHA1(key: Span<UInt8>, message: Span<UInt8>) -> [UInt8] {
        unsafe code(20, key: key, message: message) { unsafe tg_hmac_sha1($0, $1, $2, $3, $4) }
    }

    /// An HMAC of `length` bytes, which `compute` writes in full.
    private static func code(
        _ length: Int, key: Span<UInt8>, message: Span<UInt8>,
        _ compute: (UnsafeRawPointer?, Int, UnsafeRawPointer?, Int, UnsafeMutablePointer<UInt8>) -> Void
    ) -> [UInt8] {
        unsafe key.withUnsafeBytes { key in
            unsafe message.withUnsafeBytes { message in
                unsafe [UInt8](unsafeUninitializedCapacity: length) { code, count in
                    guard let base = code.baseAddress else { return }
                    unsafe compute(key.baseAddress, key.count, message.baseAddress, message.count, base)
                    count = length
                }
            }
        }
    }

    static func equal(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        return unsafe left.withUnsafeBytes { left in
            unsafe right.withUnsafeBytes { right in
                // Two empty strings are equal, and have no address.
                guard let first = left.baseAddress, let second = right.baseAddress else { return true }
                return unsafe tg_equal(first, second, left.count) == 1
            }
        }
    }

    static func seal(_ plaintext: [UInt8], key: [UInt8], nonce: [UInt8], data: [UInt8]) -> [UInt8]? {
        // The output has room for the cipher text, which is as long as the plain text, and the tag after it.
        unsafe output(plaintext.count + AES256GCM.tagLength) {
            unsafe tg_aes256gcm_seal(
                key, nonce, data, data.count, plaintext, plaintext.count, $0, $0 + plaintext.count) == 1
        }
    }

    static func open(
        _ sealed: [UInt8], key: [UInt8], nonce: [UInt8], data: [UInt8]
    ) throws(CryptographyError) -> [UInt8] {
        let count = sealed.count - AES256GCM.tagLength
        let tag = [UInt8](sealed[count...])
        var result: Int32 = 0
        // One byte more than is needed, so that an empty text has an address too.
        let plaintext = unsafe output(count + 1) {
            unsafe result = tg_aes256gcm_open(key, nonce, data, data.count, sealed, count, $0, tag)
            unsafe ($0 + count).initialize(to: 0)
            return result == 1
        }
        guard var plaintext else {
            throw result == -1
                ? CryptographyError(.authenticationFailed, "The sealed bytes are not authentic.")
                : CryptographyError(.unavailable, "OpenSSL could not decrypt.")
        }
        plaintext.removeLast()
        return plaintext
    }

    static func ed25519PublicKey(seed: [UInt8]) -> [UInt8]? {
        unsafe output(Ed25519.publicKeyLength) { unsafe tg_ed25519_public_key(seed, $0) == 1 }
    }

    static func ed25519Sign(_ message: [UInt8], seed: [UInt8]) -> [UInt8]? {
        unsafe output(Ed25519.signatureLength) { unsafe tg_ed25519_sign(seed, message, message.count, $0) == 1 }
    }

    static func ed25519Verify(_ signature: [UInt8], of message: [UInt8], publicKey: [UInt8]) -> Bool {
        unsafe tg_ed25519_verify(publicKey, message, message.count, signature) == 1
    }

    /// An array of `length` bytes (at least one) that `fill` writes in full; nil where it refuses.
    private static func output(_ length: Int, _ fill: (UnsafeMutablePointer<UInt8>) -> Bool) -> [UInt8]? {
        var filled = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            filled = unsafe fill(base)
            // What was not filled is not counted, so uninitialised memory is never read.
            count = filled ? length : 0
        }
        return filled ? bytes : nil
    }
}
