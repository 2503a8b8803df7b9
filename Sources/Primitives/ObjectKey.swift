/// The key of an object: 1 to 1,024 bytes of valid UTF-8, opaque to everything but listings.
///
/// Equality and order are those of the bytes, as in S3: two keys that Unicode calls equivalent are two keys.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
package struct ObjectKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package static let maximumLength = 1024

    package let bytes: [UInt8]

    /// Nil where the bytes are empty, too many or not UTF-8.
    package init?(_ bytes: [UInt8]) {
        guard !bytes.isEmpty, bytes.count <= Self.maximumLength, bytes.span.isUTF8 else { return nil }
        self.bytes = bytes
    }

    /// A key from text, with the same rules.
    package init?(_ text: String) {
        self.init([UInt8](text.utf8))
    }

    /// The key as text, for messages and XML. Compare keys, not their texts.
    package var description: String { String(decoding: bytes, as: UTF8.self) }

    package static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}
