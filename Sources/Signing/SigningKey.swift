import Cryptography
import Primitives

/// The key derived from a secret for one scope. It may be cached for as long as the scope's day counts.
package struct SigningKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package let scope: CredentialScope
    private let bytes: [UInt8]

    /// Derives the key: four HMACs over the scope's parts.
    package init(secret: SecretKey, scope: CredentialScope) {
        self.scope = scope
        var key = Array("AWS4".utf8) + secret.bytes
        for part in [scope.date, scope.region, scope.service, CredentialScope.terminator] {
            key = HMACSHA256.code(key: key, message: Array(part.utf8))
        }
        bytes = key
    }

    /// The signature of a text, as 64 lower-case hexadecimal digits.
    package func signature(of text: some Sequence<UInt8>) -> String {
        Hex.encode(HMACSHA256.code(key: bytes, message: Array(text)))
    }

    /// Whether `signature` is this key's signature of a text, in a time that does not tell how nearly it is.
    package func verifies(_ signature: String, of text: [UInt8]) -> Bool {
        var expected: [UInt8] = []
        Hex.append(HMACSHA256.code(key: bytes, message: text), to: &expected)
        return constantTimeEqual(Array(signature.utf8), expected)
    }

    package var description: String { "<redacted>" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
