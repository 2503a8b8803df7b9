import Cryptography

/// The secret half of an access key. It is never printed: its descriptions and its mirror show nothing of it.
package struct SecretKey: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    /// The key's bytes, for key derivation alone.
    let bytes: [UInt8]

    package init(_ text: String) {
        bytes = Array(text.utf8)
    }

    /// The number of bytes.
    package var length: Int { bytes.count }

    package var description: String { "<redacted>" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// Compares in a time that tells nothing of where they differ.
    package static func == (left: SecretKey, right: SecretKey) -> Bool {
        constantTimeEqual(left.bytes, right.bytes)
    }
}
