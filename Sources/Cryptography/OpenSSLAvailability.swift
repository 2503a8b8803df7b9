import COpenSSL

/// What the C side could fetch from OpenSSL.
enum OpenSSLAvailability {
    /// The name of an algorithm that is missing, or nil.
    static var missing: String? {
        let names = ["MD5", "SHA-1", "SHA-256", "SHA-512"]
        for (kind, name) in names.enumerated() where !tg_digest_is_available(Int32(kind)) { return name }
        if !tg_hmac_is_available() { return "HMAC" }
        return tg_aes256gcm_is_available() ? nil : "AES-256-GCM"
    }
}
