/// Writes a document, byte by byte and in order, into memory.
///
/// What XML 1.0 cannot hold, such as control characters in an object's key, is written as a reference (`&#x1;`), as
/// S3 does; a client that wants to parse such keys asks for `encoding-type=url`.
package struct XMLWriter: Sendable {
    /// The document so far.
    package private(set) var bytes: [UInt8]

    /// - Parameter declaration: whether the document begins with the XML declaration, as all of S3's do.
    package init(declaration: Bool = true, reservingCapacity capacity: Int = 1024) {
        bytes = []
        bytes.reserveCapacity(capacity)
        if declaration { bytes += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".utf8 }
    }

    /// An element that holds what the closure writes; an empty-element tag where it writes nothing.
    ///
    /// - Parameters:
    ///   - name: a name that XML allows; it is written as it is.
    ///   - attributes: names and values; only the values are escaped.
    package mutating func element<Failure: Error>(
        _ name: String, attributes: [(name: String, value: String)] = [],
        _ content: (inout XMLWriter) throws(Failure) -> Void
    ) throws(Failure) {
        begin(name, attributes)
        let start = bytes.count
        try content(&self)
        if bytes.count == start {
            bytes[start - 1] = UInt8(ascii: "/")
            bytes.append(UInt8(ascii: ">"))
        } else {
            end(name)
        }
    }

    /// The root element of a document in S3's namespace.
    package mutating func root<Failure: Error>(
        _ name: String, _ content: (inout XMLWriter) throws(Failure) -> Void
    ) throws(Failure) {
        try element(name, attributes: [("xmlns", XMLElement.s3Namespace)], content)
    }

    /// An element that holds text, which is escaped. Without text it is an empty-element tag.
    package mutating func element(
        _ name: String, attributes: [(name: String, value: String)] = [], _ text: String
    ) {
        element(name, attributes: attributes) { $0.text(text) }
    }

    /// An element that holds a number.
    package mutating func element(_ name: String, _ number: some BinaryInteger) {
        element(name, String(number))
    }

    /// An element that holds `true` or `false`.
    package mutating func element(_ name: String, _ truth: Bool) {
        element(name, truth ? "true" : "false")
    }

    /// Text inside the element that is open, escaped.
    package mutating func text(_ text: String) {
        append(text, isAttribute: false)
    }

    private mutating func begin(_ name: String, _ attributes: [(name: String, value: String)]) {
        bytes.append(UInt8(ascii: "<"))
        bytes += name.utf8
        for attribute in attributes {
            bytes.append(UInt8(ascii: " "))
            bytes += attribute.name.utf8
            bytes += "=\"".utf8
            append(attribute.value, isAttribute: true)
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: ">"))
    }

    private mutating func end(_ name: String) {
        bytes += "</".utf8
        bytes += name.utf8
        bytes.append(UInt8(ascii: ">"))
    }

    private mutating func append(_ text: String, isAttribute: Bool) {
        // Most text needs no escape, and is then copied in one piece.
        guard text.utf8.contains(where: { Self.mayNeedEscape($0) }) else {
            bytes += text.utf8
            return
        }
        for scalar in text.unicodeScalars {
            if let escape = Self.escape(scalar, isAttribute: isAttribute) {
                bytes += escape.utf8
            } else {
                bytes += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            }
        }
    }

    /// True for every byte of a scalar that `escape` may escape; 0xEF begins U+FFFE and U+FFFF.
    private static func mayNeedEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x22 || byte == 0x26 || byte == 0x3c || byte == 0x3e || byte == 0xef
    }

    private static func escape(_ scalar: Unicode.Scalar, isAttribute: Bool) -> String? {
        switch scalar.value {
        case 0x22: "&quot;"
        case 0x26: "&amp;"
        case 0x3c: "&lt;"
        case 0x3e: "&gt;"
        // A parser makes a line feed of a carriage return, and a space of any white space in an attribute.
        case 0x09, 0x0a: isAttribute ? "&#x\(String(scalar.value, radix: 16));" : nil
        case 0..<0x20, 0xfffe, 0xffff: "&#x\(String(scalar.value, radix: 16));"
        default: nil
        }
    }
}
