/// HMAC-SHA1 (RFC 2104, RFC 2202), which S3's signature version 2 is made of and nothing else here.
///
/// That SHA-1 has collisions does not touch HMAC: a forger would have to find them under a key that they don't have.
package enum HMACSHA1 {
    /// The 20 bytes of the code. Keys of any length are taken, the empty one included.
    package static func code(key: [UInt8], message: [UInt8]) -> [UInt8] {
        OpenSSLFunctions.hmacSHA1(key: key.span, message: message.span)
    }
}
