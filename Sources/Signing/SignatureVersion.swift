/// The versions of AWS's signature.
package enum SignatureVersion: Sendable, Hashable {
    /// HMAC-SHA1 over a few fields of the head; the scheme `AWS`.
    case version2
    /// HMAC-SHA256 with a key for a day, region and service; the scheme `AWS4-HMAC-SHA256`.
    case version4
}
