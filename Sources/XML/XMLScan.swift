/// A pass over the bytes of a document before the parser's, which knows no more of XML than where markup begins and
/// ends.
///
/// It refuses what is never accepted, and counts what the parser would spend time or memory on before its callbacks
/// could say stop: libxml2 compares each attribute of an element with all others. On a well-formed document its
/// counts are exact; on any other it may pass what the parser then refuses.
struct XMLScan {
    private let bytes: [UInt8]
    private let limits: XMLLimits
    private var next = 0
    private var depth = 0
    private var elements = 0

    init(_ bytes: [UInt8], limits: XMLLimits) {
        (self.bytes, self.limits) = (bytes, limits)
    }

    /// White space as XML has it (XML 1.0 §2.3).
    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d
    }

    mutating func run() throws(XMLError) {
        while true {
            skipText()
            guard next < bytes.count else { break }
            try skipMarkup()
        }
        guard depth == 0, elements > 0 else { throw error(.malformed, "The document ends early.") }
    }

    /// Moves to the next `<`.
    private mutating func skipText() {
        while next < bytes.count, bytes[next] != UInt8(ascii: "<") {
            next += 1
        }
    }

    private mutating func skipMarkup() throws(XMLError) {
        switch next + 1 < bytes.count ? bytes[next + 1] : 0 {
        case UInt8(ascii: "/"):
            guard let end = bytes[next...].firstIndex(of: UInt8(ascii: ">")) else {
                throw error(.malformed, "The document ends within a tag.")
            }
            next = end + 1
            depth -= 1
            guard depth >= 0 else { throw error(.malformed, "An element ends that did not begin.") }
        case UInt8(ascii: "!"):
            if stands("<!--") {
                try skip(past: "-->", from: 4)
            } else if stands("<![CDATA[") {
                try skip(past: "]]>", from: 9)
            } else {
                throw error(.forbidden, "Document type declarations are not accepted.")
            }
        case UInt8(ascii: "?"):
            throw error(.forbidden, "Processing instructions are not accepted.")
        default:
            try skipStartTag()
        }
    }

    private mutating func skipStartTag() throws(XMLError) {
        let start = next
        var attributes = 0
        var quote: UInt8?
        elements += 1
        guard elements <= limits.elements else { throw exceeded("has more than \(limits.elements) elements") }
        next += 1
        while true {
            guard next < bytes.count else { throw error(.malformed, "The document ends within a tag.") }
            guard next - start < limits.tagBytes else { throw exceeded("has a tag of over \(limits.tagBytes) bytes") }
            let byte = bytes[next]
            next += 1
            if byte == UInt8(ascii: "<") { throw error(.malformed, "A tag does not end.") }
            if let open = quote {
                if byte == open { quote = nil }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "'"): quote = byte
            case UInt8(ascii: "="):
                attributes += 1
                guard attributes <= limits.attributes else {
                    throw exceeded("has an element of over \(limits.attributes) attributes")
                }
            case UInt8(ascii: ">"):
                // An empty-element tag is as deep as any other, but nothing stays open after it.
                guard depth < limits.depth else { throw exceeded("is nested over \(limits.depth) deep") }
                if bytes[next - 2] != UInt8(ascii: "/") { depth += 1 }
                return
            default: break
            }
        }
    }

    private func stands(_ text: StaticString) -> Bool {
        let expected = text.description.utf8
        return bytes[next...].starts(with: expected)
    }

    /// Moves behind the first `text` that begins `distance` bytes from here or later.
    private mutating func skip(past text: StaticString, from distance: Int) throws(XMLError) {
        let expected = Array(text.description.utf8)
        var index = next + distance
        while index + expected.count <= bytes.count {
            if bytes[index] == expected[0], bytes[index..<index + expected.count].elementsEqual(expected) {
                next = index + expected.count
                return
            }
            index += 1
        }
        throw error(.malformed, "The document ends within markup.")
    }

    private func error(_ kind: XMLError.Kind, _ message: String) -> XMLError {
        XMLPosition(of: min(next, bytes.count), in: bytes).error(kind, message)
    }

    private func exceeded(_ what: String) -> XMLError {
        error(.limitExceeded, "The document \(what).")
    }
}
