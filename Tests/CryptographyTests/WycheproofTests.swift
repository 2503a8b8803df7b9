import Cryptography
import Primitives
import Testing

@Suite("Wycheproof", .enabled(if: WycheproofVectors.directory != nil, WycheproofVectors.absence))
struct WycheproofTests {
    @Test("HMAC-SHA256, truncated codes included")
    func hmac() throws {
        for group in try WycheproofVectors.load("hmac_sha256_test.json").testGroups {
            let length = try #require(group.tagSize) / 8
            for vector in group.tests {
                let code = HMACSHA256.code(
                    key: try WycheproofVectors.bytes(vector.key), message: try WycheproofVectors.bytes(vector.msg))
                let isRight = constantTimeEqual(Array(code.prefix(length)), try WycheproofVectors.bytes(vector.tag))
                #expect(isRight == (vector.result == "valid"), "\(vector.tcId): \(vector.comment)")
            }
        }
    }

    @Test("AES-256-GCM; other key, nonce and tag sizes are refused")
    func gcm() throws {
        var opened = 0
        for group in try WycheproofVectors.load("aes_gcm_test.json").testGroups {
            let isOurs = group.keySize == 256 && group.ivSize == 96 && group.tagSize == 128
            for vector in group.tests {
                let key = try WycheproofVectors.bytes(vector.key)
                let nonce = try WycheproofVectors.bytes(vector.iv)
                let data = try WycheproofVectors.bytes(vector.aad)
                let plaintext = try WycheproofVectors.bytes(vector.msg)
                let sealed = try WycheproofVectors.bytes(vector.ct) + WycheproofVectors.bytes(vector.tag)
                if isOurs && vector.result == "valid" {
                    #expect(try AES256GCM.seal(plaintext, key: key, nonce: nonce, authenticating: data) == sealed)
                    #expect(try AES256GCM.open(sealed, key: key, nonce: nonce, authenticating: data) == plaintext)
                    opened += 1
                } else {
                    let error = #expect(throws: CryptographyError.self, "\(vector.tcId): \(vector.comment)") {
                        try AES256GCM.open(sealed, key: key, nonce: nonce, authenticating: data)
                    }
                    #expect(error?.kind == (isOurs ? .authenticationFailed : .invalidParameter))
                }
            }
        }
        #expect(opened > 30)
    }

    @Test("Ed25519")
    func ed25519() throws {
        for group in try WycheproofVectors.load("ed25519_test.json").testGroups {
            let key = try WycheproofVectors.bytes(group.publicKey?.pk)
            for vector in group.tests {
                let isGood = Ed25519.verify(
                    try WycheproofVectors.bytes(vector.sig), of: try WycheproofVectors.bytes(vector.msg), publicKey: key
                )
                #expect(isGood == (vector.result == "valid"), "\(vector.tcId): \(vector.comment)")
            }
        }
    }
}
