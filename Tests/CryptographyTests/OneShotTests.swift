import Cryptography
import Primitives
import Testing

@Suite("HMAC, HKDF, AES-GCM and Ed25519")
struct OneShotTests {
    private func bytes(_ hexadecimal: String) throws -> [UInt8] { try #require(Hex.decode(hexadecimal)) }

    @Test("HMAC-SHA256 as in RFC 4231 §4.2, §4.3 and §4.7")
    func hmac() throws {
        #expect(
            Hex.encode(HMACSHA256.code(key: [UInt8](repeating: 0x0b, count: 20), message: Array("Hi There".utf8)))
                == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        #expect(
            Hex.encode(
                HMACSHA256.code(key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8)))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(
            Hex.encode(
                HMACSHA256.code(
                    key: [UInt8](repeating: 0xaa, count: 131),
                    message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)))
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test("HMAC-SHA1 as in RFC 2202 §3, test cases 1, 2, 6 and 7, beside HMAC-SHA256")
    func hmacSHA1() {
        let long = [UInt8](repeating: 0xaa, count: 80)
        for (key, message, code) in [
            ([UInt8](repeating: 0x0b, count: 20), "Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"),
            (Array("Jefe".utf8), "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (
                long, "Test Using Larger Than Block-Size Key - Hash Key First",
                "aa4ae5e15272d00e95705637ce8a3b55ed402112"
            ),
            (
                long, "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data",
                "e8e99d0f45237d786d6bbaa7965c7808bbff1a91"
            ),
            ([], "", "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d"),
        ] {
            #expect(Hex.encode(HMACSHA1.code(key: key, message: Array(message.utf8))) == code)
            // The one has no context or key of the other.
            #expect(HMACSHA256.code(key: key, message: Array(message.utf8)).count == 32)
            #expect(Hex.encode(HMACSHA1.code(key: key, message: Array(message.utf8))) == code)
        }
    }

    @Test("An empty key is an empty key, and not the key of the time before")
    func emptyKey() {
        let other = HMACSHA256.code(key: [1, 2, 3], message: [])
        let empty = HMACSHA256.code(key: [], message: [])
        #expect(other != empty)
        #expect(Hex.encode(empty) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test("HKDF-SHA256 as in RFC 5869 A.1 to A.3")
    func hkdf() throws {
        let first = try HKDFSHA256.derive(
            secret: [UInt8](repeating: 0x0b, count: 22), salt: Array(0...12), info: Array(0xf0...0xf9), length: 42)
        #expect(
            Hex.encode(first)
                == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
        let second = try HKDFSHA256.derive(
            secret: Array(0x00...0x4f), salt: Array(0x60...0xaf), info: Array(0xb0...0xff), length: 82)
        #expect(
            Hex.encode(second)
                == "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
                + "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87")
        let third = try HKDFSHA256.derive(
            secret: [UInt8](repeating: 0x0b, count: 22), salt: [], info: [], length: 42)
        #expect(
            Hex.encode(third)
                == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")
    }

    @Test("HKDF refuses lengths outside its range", arguments: [0, -1, HKDFSHA256.maximumLength + 1])
    func hkdfLengths(_ length: Int) throws {
        #expect(throws: CryptographyError.self) {
            try HKDFSHA256.derive(secret: [1], salt: [], info: [], length: length)
        }
        #expect(
            try HKDFSHA256.derive(secret: [1], salt: [], info: [], length: HKDFSHA256.maximumLength).count == 8160)
    }

    @Test("What was sealed opens, and a flipped bit anywhere does not")
    func sealing() throws {
        let key = KnownDigest.pattern(32)
        let nonce = [UInt8](repeating: 7, count: 12)
        for length in [0, 1, 15, 16, 17, 1000] {
            let plaintext = KnownDigest.pattern(length)
            let sealed = try AES256GCM.seal(plaintext, key: key, nonce: nonce, authenticating: [1, 2])
            #expect(sealed.count == length + AES256GCM.tagLength)
            #expect(try AES256GCM.open(sealed, key: key, nonce: nonce, authenticating: [1, 2]) == plaintext)
            for index in sealed.indices {
                var damaged = sealed
                damaged[index] ^= 1 << UInt8(index % 8)
                #expect(throws: CryptographyError.self) {
                    try AES256GCM.open(damaged, key: key, nonce: nonce, authenticating: [1, 2])
                }
            }
            let error = #expect(throws: CryptographyError.self) {
                try AES256GCM.open(sealed, key: key, nonce: nonce, authenticating: [1, 3])
            }
            #expect(error?.kind == .authenticationFailed)
        }
    }

    @Test("Wrong lengths of key, nonce and sealed bytes are refused before OpenSSL sees them")
    func lengths() throws {
        let key = [UInt8](repeating: 1, count: 32)
        let nonce = [UInt8](repeating: 2, count: 12)
        for (key, nonce) in [
            (Array(key.dropLast()), nonce), (key + [0], nonce), ([], nonce), (key, []), (key, nonce + [0]),
        ] {
            let error = #expect(throws: CryptographyError.self) { try AES256GCM.seal([1], key: key, nonce: nonce) }
            #expect(error?.kind == .invalidParameter)
        }
        let error = #expect(throws: CryptographyError.self) {
            try AES256GCM.open([UInt8](repeating: 0, count: 15), key: key, nonce: nonce)
        }
        #expect(error?.kind == .invalidParameter)
    }

    @Test("Ed25519 as in RFC 8032 §7.1, tests 1 and 2")
    func ed25519() throws {
        let seed = try bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
        #expect(
            Hex.encode(try Ed25519.publicKey(seed: seed))
                == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
        #expect(
            Hex.encode(try Ed25519.sign([], seed: seed))
                == "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
                + "d25bf5f0595bbe24655141438e7a100b")
        let second = try bytes("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
        let signature = try Ed25519.sign([0x72], seed: second)
        let key = try Ed25519.publicKey(seed: second)
        #expect(Ed25519.verify(signature, of: [0x72], publicKey: key))
        #expect(!Ed25519.verify(signature, of: [0x73], publicKey: key))
        #expect(!Ed25519.verify(signature + [0], of: [0x72], publicKey: key))
        #expect(!Ed25519.verify(Array(signature.dropLast()), of: [0x72], publicKey: key))
        #expect(!Ed25519.verify(signature, of: [0x72], publicKey: Array(key.dropLast())))
        #expect(!Ed25519.verify(signature, of: [0x72], publicKey: try Ed25519.publicKey(seed: seed)))
        #expect(throws: CryptographyError.self) { try Ed25519.sign([], seed: []) }
        #expect(throws: CryptographyError.self) { try Ed25519.publicKey(seed: seed + [0]) }
    }

    @Test("Constant-time comparison compares")
    func equality() {
        #expect(constantTimeEqual([], []))
        #expect(constantTimeEqual([1, 2], [1, 2]))
        #expect(!constantTimeEqual([1, 2], [1, 3]))
        #expect(!constantTimeEqual([1, 2], [1]))
        #expect(!constantTimeEqual([], [0]))
    }
}
