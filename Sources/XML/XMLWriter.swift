/// Writes a document, byte by byte and in order, into memory.
///
/// What XML 1.0 cannot hold, such as control characters in an object's key, is written as a reference (`&#x1;`), as
/// S3 does; a client that wants to parse such keys asks for `encoding-type=url`.
package struct XMLWriter: Sendable {
    /// A copy of the document so far.
    package var bytes: [UInt8] { Array(buffer[..<count]) }

    /// Room to write into, of which the first `count` bytes are written: storing into a span takes two thirds of the
    /// time of appending to an array.
    private var buffer: [UInt8]
    private var count = 0

    /// - Parameter declaration: whether the document begins with the XML declaration, as all of S3's do.
    package init(declaration: Bool = true, reservingCapacity capacity: Int = 1024) {
        buffer = [UInt8](repeating: 0, count: max(capacity, 64))
        if declaration { append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") }
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
        let start = count
        try content(&self)
        end(name, from: start)
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
        begin(name, attributes)
        let start = count
        appendEscaped(text.utf8.span, isAttribute: false)
        end(name, from: start)
    }

    /// An element that holds text, given as its UTF-8, which is escaped.
    package mutating func element(_ name: String, _ text: Span<UInt8>) {
        begin(name, [])
        let start = count
        appendEscaped(text, isAttribute: false)
        end(name, from: start)
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
        appendEscaped(text.utf8.span, isAttribute: false)
    }

    private mutating func begin(_ name: String, _ attributes: [(name: String, value: String)]) {
        guard !attributes.isEmpty else { return tag("<", name) }
        append("<")
        append(name)
        for attribute in attributes {
            append(" ")
            append(attribute.name)
            append("=\"")
            appendEscaped(attribute.value.utf8.span, isAttribute: true)
            append("\"")
        }
        append(">")
    }

    /// A tag without attributes, in one piece: a listing has thousands.
    private mutating func tag(_ opening: String, _ name: String) {
        let (opening, name) = (opening.utf8.span, name.utf8.span)
        reserve(opening.count + name.count + 1)
        let (start, end) = (count, count + opening.count + name.count)
        var output = buffer.mutableSpan
        Self.copy(opening, to: start, in: &output)
        Self.copy(name, to: start + opening.count, in: &output)
        output[end] = UInt8(ascii: ">")
        count = end + 1
    }

    /// Ends an element whose content began at `start`.
    private mutating func end(_ name: String, from start: Int) {
        if count == start {
            count -= 1
            append("/>")
        } else {
            tag("</", name)
        }
    }

    /// Makes room for so many bytes more.
    private mutating func reserve(_ more: Int) {
        guard buffer.count - count < more else { return }
        buffer += [UInt8](repeating: 0, count: max(more, buffer.count))
    }

    /// Writes text as it is.
    private mutating func append(_ text: String) {
        append(text.utf8.span)
    }

    private mutating func append(_ source: Span<UInt8>) {
        reserve(source.count)
        let start = count
        var output = buffer.mutableSpan
        Self.copy(source, to: start, in: &output)
        count = start + source.count
    }

    @inline(__always)
    private static func copy(_ source: Span<UInt8>, to start: Int, in room: inout MutableSpan<UInt8>) {
        for index in source.indices { room[start + index] = source[index] }
    }

    /// Writes text with escapes.
    private mutating func appendEscaped(_ source: Span<UInt8>, isAttribute: Bool) {
        guard Self.mayNeedEscapes(source) else { return append(source) }
        // No escape is longer than eight bytes, nor stands for less than one.
        reserve(source.count * 8)
        var end = count
        var output = buffer.mutableSpan
        var index = 0
        while index < source.count {
            let byte = source[index]
            if Self.mayNeedEscape(byte), let escape = Self.escape(source, at: index, isAttribute: isAttribute) {
                let bytes = escape.text.utf8.span
                for offset in bytes.indices { output[end + offset] = bytes[offset] }
                end += bytes.count
                index += escape.width
            } else {
                output[end] = byte
                end += 1
                index += 1
            }
        }
        count = end
    }

    private static func mayNeedEscapes(_ source: Span<UInt8>) -> Bool {
        // All are looked at, without a branch for each, several at once.
        var found = false
        for index in source.indices { found = mayNeedEscape(source[index]) || found }
        return found
    }

    /// True for the first byte of every scalar that is escaped somewhere; 0xEF begins U+FFFE and U+FFFF.
    private static func mayNeedEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x22 || byte == 0x26 || byte == 0x3c || byte == 0x3e || byte == 0xef
    }

    /// What stands for the scalar at this place, and the bytes that the scalar has; nil where it stands for itself.
    private static func escape(
        _ source: Span<UInt8>, at index: Int, isAttribute: Bool
    ) -> (text: String, width: Int)? {
        switch source[index] {
        case 0x22: return ("&quot;", 1)
        case 0x26: return ("&amp;", 1)
        case 0x3c: return ("&lt;", 1)
        case 0x3e: return ("&gt;", 1)
        // A parser makes a line feed of a carriage return, and a space of any white space in an attribute.
        case 0x09 where !isAttribute, 0x0a where !isAttribute: return nil
        case 0..<0x20: return ("&#x\(String(source[index], radix: 16));", 1)
        default:
            // U+FFFE and U+FFFF, which are no characters for XML, are EF BF BE and EF BF BF.
            guard index + 2 < source.count, source[index] == 0xef, source[index + 1] == 0xbf, source[index + 2] >= 0xbe
            else { return nil }
            return (source[index + 2] == 0xbe ? "&#xfffe;" : "&#xffff;", 3)
        }
    }
}
