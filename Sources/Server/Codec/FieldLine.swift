package import NIOCore
package import Primitives

/// One header or trailer field line (RFC 9112 §5), read strictly.
package enum FieldLine {
    /// Reads the line of `length` bytes at the reader index; it does not move the index.
    ///
    /// - Throws: `RequestRefusal` for a folded line, a name that is empty, not a token or followed by white space, a
    ///   control character in the value, and a value that is not UTF-8.
    package static func read(_ buffer: borrowing ByteBuffer, length: Int) throws(RequestRefusal) -> HeaderFields.Field {
        let bytes = buffer.readableBytesUInt8Span
        var colon = 0
        var hasCapital = false
        while colon < length, ByteClasses.isToken(bytes[colon]) {
            hasCapital = hasCapital || (bytes[colon] >= 0x41 && bytes[colon] <= 0x5A)
            colon += 1
        }
        guard colon < length, colon > 0, bytes[colon] == ByteClasses.colon else {
            if length > 0, bytes[0] == ByteClasses.space || bytes[0] == ByteClasses.tab {
                throw refusal("A header field is folded over two lines.")
            }
            throw refusal("A header field's name is empty or holds a character that is not allowed.")
        }
        var start = colon + 1
        var end = length
        while start < end, isWhiteSpace(bytes[start]) { start += 1 }
        while end > start, isWhiteSpace(bytes[end - 1]) { end -= 1 }
        var union: UInt8 = 0
        for index in start..<end {
            let byte = bytes[index]
            guard ByteClasses.isFieldValue(byte) else {
                throw refusal("A header field's value holds a control character.")
            }
            union |= byte
        }
        let origin = buffer.readerIndex
        guard let name = buffer.getString(at: origin, length: colon),
            let value = union < 0x80
                ? buffer.getString(at: origin + start, length: end - start)
                : validated(buffer, at: origin + start, length: end - start)
        else { throw refusal("A header field's value is not UTF-8.") }
        return HeaderFields.Field(name: hasCapital ? name.lowercased() : name, value: value)
    }

    private static func validated(_ buffer: borrowing ByteBuffer, at index: Int, length: Int) -> String? {
        do {
            return try buffer.getUTF8ValidatedString(at: index, length: length)
        } catch {
            // The only error is that the bytes are not UTF-8, which nil says.
            return nil
        }
    }

    private static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == ByteClasses.space || byte == ByteClasses.tab
    }

    private static func refusal(_ message: String) -> RequestRefusal {
        RequestRefusal(.headerField, message)
    }
}
