/// Whether the installed libraries can do what the other types here take for granted.
package enum CryptographyAvailability {
    /// To be called once at the start.
    ///
    /// - Throws: `CryptographyError` of kind `unavailable` where OpenSSL has no MD5, SHA, HMAC or AES-GCM (a FIPS
    ///   provider lacks MD5), so that the start fails and not a request.
    package static func check() throws(CryptographyError) {
        if let missing = OpenSSLAvailability.missing {
            throw CryptographyError(
                .unavailable, "OpenSSL offers no \(missing); its default provider has to be active.")
        }
    }
}
