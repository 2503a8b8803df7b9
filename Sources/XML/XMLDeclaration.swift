/// The byte order mark and the XML declaration (XML 1.0 §2.8) at the begin of a document.
struct XMLDeclaration {
    /// The bytes that both take together; 0 where neither stands there.
    let length: Int

    /// Reads what is there.
    ///
    /// - Throws: `forbidden` for an encoding other than UTF-8 or a version other than 1.0, `malformed` for a
    ///   declaration that does not parse, for NUL bytes and for bytes that are not UTF-8.
    static func read(_ bytes: [UInt8]) throws(XMLError) -> XMLDeclaration {
        if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) || bytes.prefix(4).contains(0) {
            throw XMLError(.forbidden, "The document has to be in UTF-8.", line: 1, column: 1)
        }
        if let offset = bytes.firstIndex(of: 0) {
            throw XMLPosition(of: offset, in: bytes).error(.malformed, "The document holds a NUL byte.")
        }
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            throw XMLPosition(of: error.byteOffsets.lowerBound, in: bytes)
                .error(.malformed, "The document is not valid UTF-8.")
        }
        let start = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
        var reader = Reader(bytes: bytes[start...])
        guard reader.skip("<?xml"), reader.skipSpace() else { return XMLDeclaration(length: start) }
        try reader.readDeclaration()
        return XMLDeclaration(length: reader.bytes.startIndex)
    }

    /// Reads the inside of a declaration.
    private struct Reader {
        var bytes: ArraySlice<UInt8>

        mutating func skip(_ text: StaticString) -> Bool {
            let expected = Array(text.description.utf8)
            guard bytes.starts(with: expected) else { return false }
            bytes = bytes.dropFirst(expected.count)
            return true
        }

        mutating func skipSpace() -> Bool {
            let rest = bytes.drop { XMLScan.isSpace($0) }
            defer { bytes = rest }
            return rest.startIndex > bytes.startIndex
        }

        /// `version`, then perhaps `encoding`, then perhaps `standalone`, then the end.
        mutating func readDeclaration() throws(XMLError) {
            guard skip("version"), let version = quotedValue() else { throw malformed }
            guard version == Array("1.0".utf8) else {
                throw XMLError(.forbidden, "The document has to be in XML 1.0.", line: 1, column: 1)
            }
            var spaced = skipSpace()
            if spaced, skip("encoding") {
                guard let encoding = quotedValue() else { throw malformed }
                guard encoding.map({ $0 | 0x20 }) == Array("utf-8".utf8) else {
                    throw XMLError(.forbidden, "The document has to be in UTF-8.", line: 1, column: 1)
                }
                spaced = skipSpace()
            }
            if spaced, skip("standalone") {
                let value = quotedValue()
                guard value == Array("yes".utf8) || value == Array("no".utf8) else { throw malformed }
                _ = skipSpace()
            }
            guard skip("?>") else { throw malformed }
        }

        /// ` = "value"`, with either quote.
        private mutating func quotedValue() -> [UInt8]? {
            _ = skipSpace()
            guard skip("=") else { return nil }
            _ = skipSpace()
            guard let quote = bytes.popFirst(), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
                let end = bytes.firstIndex(of: quote)
            else { return nil }
            defer { bytes = bytes[(end + 1)...] }
            return Array(bytes[..<end])
        }

        private var malformed: XMLError {
            XMLError(.malformed, "The XML declaration does not parse.", line: 1, column: 1)
        }
    }
}
