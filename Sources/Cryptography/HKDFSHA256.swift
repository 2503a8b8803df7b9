/// HKDF with SHA-256 (RFC 5869): keys derived from a secret.
package enum HKDFSHA256 {
    /// The most bytes that one derivation gives (RFC 5869 §2.3).
    package static let maximumLength = 255 * 32

    /// Extracts and expands.
    ///
    /// - Parameter salt: may be empty, and then stands for 32 zero bytes.
    /// - Throws: `CryptographyError` of kind `invalidParameter` where `length` is not from 1 to `maximumLength`.
    package static func derive(
        secret: [UInt8], salt: [UInt8], info: [UInt8], length: Int
    ) throws(CryptographyError) -> [UInt8] {
        guard (1...maximumLength).contains(length) else {
            throw CryptographyError(.invalidParameter, "HKDF gives from 1 to \(maximumLength) bytes, not \(length).")
        }
        // An empty HMAC key is padded with zeros, which is what the RFC wants of an absent salt.
        let pseudorandomKey = HMACSHA256.code(key: salt, message: secret)
        var output: [UInt8] = []
        var block: [UInt8] = []
        var counter: UInt8 = 1
        while output.count < length {
            block = HMACSHA256.code(key: pseudorandomKey, message: block + info + [counter])
            output += block.prefix(length - output.count)
            counter &+= 1
        }
        return output
    }
}
