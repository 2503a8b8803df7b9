/// What a JSON text may cost.
package struct JSONLimits: Sendable, Hashable {
    package var bytes: Int
    /// How many arrays and objects may be open at once.
    package var depth: Int

    package init(bytes: Int = 1 << 20, depth: Int = 64) {
        (self.bytes, self.depth) = (bytes, depth)
    }
}

extension JSON {
    /// Reads exactly one JSON text (RFC 8259), with nothing but white space around it.
    ///
    /// It is stricter than the RFC asks where the RFC warns: names are unique, the bytes are UTF-8 without a byte order
    /// mark, and escapes name no lone surrogate. Numbers without fraction and exponent that fit become `integer`,
    /// others `double`.
    ///
    /// - Throws: `JSONError` with the kind and the offset, for anything else and for what exceeds the limits.
    package static func parse(
        _ bytes: some Collection<UInt8>, limits: JSONLimits = JSONLimits()
    ) throws(JSONError) -> JSON {
        guard bytes.count <= limits.bytes else { throw JSONError(.tooLarge, at: limits.bytes) }
        var parser = JSONParser(bytes: Array(bytes), depth: limits.depth)
        let value = try parser.value()
        guard parser.isAtEnd else { throw JSONError(.trailingBytes, at: parser.offset) }
        return value
    }
}

/// A recursive descent over bytes; its recursion is bounded by the depth limit.
private struct JSONParser {
    private let bytes: [UInt8]
    private(set) var offset = 0
    private var remainingDepth: Int

    init(bytes: [UInt8], depth: Int) {
        self.bytes = bytes
        remainingDepth = depth
    }

    var isAtEnd: Bool { offset == bytes.count }

    /// A value with the white space on both of its sides.
    mutating func value() throws(JSONError) -> JSON {
        skipWhiteSpace()
        let value: JSON
        switch try peek() {
        case UInt8(ascii: "{"): value = try object()
        case UInt8(ascii: "["): value = try array()
        case UInt8(ascii: "\""): value = .string(try string())
        case UInt8(ascii: "t"): value = try literal("true", .bool(true))
        case UInt8(ascii: "f"): value = try literal("false", .bool(false))
        case UInt8(ascii: "n"): value = try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): value = try number()
        default: throw JSONError(.unexpectedByte, at: offset)
        }
        skipWhiteSpace()
        return value
    }

    private mutating func object() throws(JSONError) -> JSON {
        try enter()
        var members: [JSONObject.Member] = []
        var names = SeenNames()
        skipWhiteSpace()
        if try !skip(UInt8(ascii: "}")) {
            repeat {
                skipWhiteSpace()
                let start = offset
                guard try peek() == UInt8(ascii: "\"") else { throw JSONError(.unexpectedByte, at: offset) }
                let name = try string()
                guard names.insert(name, beside: members) else { throw JSONError(.duplicateName, at: start) }
                skipWhiteSpace()
                try expect(UInt8(ascii: ":"))
                members.append(JSONObject.Member(name: name, value: try value()))
            } while try skip(UInt8(ascii: ","))
            try expect(UInt8(ascii: "}"))
        }
        remainingDepth += 1
        return .object(JSONObject(distinct: members))
    }

    private mutating func array() throws(JSONError) -> JSON {
        try enter()
        var elements: [JSON] = []
        skipWhiteSpace()
        if try !skip(UInt8(ascii: "]")) {
            repeat { elements.append(try value()) } while try skip(UInt8(ascii: ","))
            try expect(UInt8(ascii: "]"))
        }
        remainingDepth += 1
        return .array(elements)
    }

    /// Steps over the opening bracket.
    private mutating func enter() throws(JSONError) {
        guard remainingDepth > 0 else { throw JSONError(.tooDeep, at: offset) }
        remainingDepth -= 1
        offset += 1
    }

    private mutating func string() throws(JSONError) -> String {
        let start = offset
        offset += 1
        // Most have no escapes, and are taken as they stand.
        while offset < bytes.count, JSON.isPlain(bytes[offset]) { offset += 1 }
        if try peek() == UInt8(ascii: "\"") {
            defer { offset += 1 }
            guard let valid = String(validating: bytes[(start + 1)..<offset], as: UTF8.self) else {
                throw JSONError(.invalidUTF8, at: start)
            }
            return valid
        }
        return try escapedString(from: start)
    }

    /// The rest of a string that begins at `start` and has an escape here, or what must not be in one.
    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var text = Array(bytes[(start + 1)..<offset])
        while true {
            let byte = try peek()
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let valid = String(validating: text, as: UTF8.self) else {
                    throw JSONError(.invalidUTF8, at: start)
                }
                return valid
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw JSONError(.invalidString, at: offset - 1)
            default: text.append(byte)
            }
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        let byte = try peek()
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            let scalar = try escapedScalar()
            text.append(contentsOf: Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter))
        default: throw JSONError(.invalidString, at: offset - 1)
        }
    }

    /// The scalar of `uXXXX`, or of a pair of them, after the `u`.
    private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
        let start = offset
        let first = try fourDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, bytes.count - offset >= 2, bytes[offset] == UInt8(ascii: "\\"),
            bytes[offset + 1] == UInt8(ascii: "u")
        else { throw JSONError(.invalidString, at: start) }
        offset += 2
        let second = try fourDigits()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw JSONError(.invalidString, at: start) }
        return scalar
    }

    private mutating func fourDigits() throws(JSONError) -> UInt32 {
        var number: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Hex.value(of: try peek()) else { throw JSONError(.invalidString, at: offset) }
            number = number << 4 | UInt32(digit)
            offset += 1
        }
        return number
    }

    private mutating func number() throws(JSONError) -> JSON {
        let start = offset
        if bytes[offset] == UInt8(ascii: "-") { offset += 1 }
        let integerStart = offset
        try digits(from: start)
        if bytes[integerStart] == UInt8(ascii: "0"), offset - integerStart > 1 {
            throw JSONError(.invalidNumber, at: start)
        }
        var isInteger = true
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            isInteger = false
            offset += 1
            try digits(from: start)
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            offset += 1
            if offset < bytes.count, bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-") {
                offset += 1
            }
            try digits(from: start)
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isInteger, let integer = Int64(text) { return .integer(integer) }
        guard let double = Double(text), double.isFinite else { throw JSONError(.invalidNumber, at: start) }
        return .double(double)
    }

    /// One digit or more.
    private mutating func digits(from start: Int) throws(JSONError) {
        let first = offset
        while offset < bytes.count, (0x30...0x39).contains(bytes[offset]) { offset += 1 }
        guard offset > first else { throw JSONError(.invalidNumber, at: start) }
    }

    private mutating func literal(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        for byte in word.description.utf8 { try expect(byte) }
        return value
    }

    private mutating func skipWhiteSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return
            }
        }
    }

    private func peek() throws(JSONError) -> UInt8 {
        guard offset < bytes.count else { throw JSONError(.unexpectedEnd, at: offset) }
        return bytes[offset]
    }

    /// Steps over the byte if it comes next.
    private mutating func skip(_ byte: UInt8) throws(JSONError) -> Bool {
        guard try peek() == byte else { return false }
        offset += 1
        return true
    }

    private mutating func expect(_ byte: UInt8) throws(JSONError) {
        guard try skip(byte) else { throw JSONError(.unexpectedByte, at: offset) }
    }
}

/// The names of an object's members so far.
private struct SeenNames {
    /// Used only where there are many: a few names are looked through sooner than they are hashed.
    private var many: Set<[UInt8]> = []

    private static let few = 24

    /// Whether a name is none of those before it, which are the members' so far.
    mutating func insert(_ name: String, beside members: [JSONObject.Member]) -> Bool {
        guard members.count >= Self.few else {
            return !members.contains {
                $0.name.utf8.count == name.utf8.count && $0.name.utf8.elementsEqual(name.utf8)
            }
        }
        if many.isEmpty { many = Set(members.map { Array($0.name.utf8) }) }
        return many.insert(Array(name.utf8)).inserted
    }
}
