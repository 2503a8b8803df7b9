/// HMAC-SHA256 (RFC 2104, FIPS 198-1).
package enum HMACSHA256 {
    /// The 32 bytes of the code. Keys of any length are taken, the empty one included.
    package static func code(key: [UInt8], message: [UInt8]) -> [UInt8] {
        code(key: key.span, message: message.span)
    }

    /// The 32 bytes of the code. Keys of any length are taken, the empty one included.
    package static func code(key: Span<UInt8>, message: Span<UInt8>) -> [UInt8] {
        OpenSSLFunctions.hmacSHA256(key: key, message: message)
    }
}
