/// A header field's value that parameters follow: `form-data; name="key"` (RFC 9110 §5.6.6).
struct ParameterizedValue {
    /// What stands before the parameters, in lower case.
    var value: String
    /// In order; names in lower case and all different.
    private var parameters: [(name: String, value: [UInt8])] = []

    /// Nil for what does not parse, and for a parameter that comes twice: two readers would take two values.
    ///
    /// In a quoted value, a backslash escapes a quotation mark alone: browsers write the backslashes of a path as they
    /// are.
    init?(_ bytes: ArraySlice<UInt8>) {
        let end = bytes.firstIndex(of: Self.semicolon) ?? bytes.endIndex
        value = Self.lowercased(Self.trimmed(bytes[..<end]))
        var rest = bytes[end...]
        while rest.first == Self.semicolon {
            rest = Self.withoutLeadingSpaces(rest.dropFirst())
            if rest.isEmpty || rest.first == Self.semicolon { continue }
            let nameEnd = rest.firstIndex { !TokenBytes.isToken($0) } ?? rest.endIndex
            guard nameEnd > rest.startIndex, nameEnd < rest.endIndex, rest[nameEnd] == UInt8(ascii: "=") else {
                return nil
            }
            let name = Self.lowercased(rest[..<nameEnd])
            guard self[name] == nil, let parameter = Self.takeValue(&rest, from: rest.index(after: nameEnd)) else {
                return nil
            }
            parameters.append((name, parameter))
            rest = Self.withoutLeadingSpaces(rest)
        }
        guard rest.isEmpty else { return nil }
    }

    /// The value of the parameter of this lower-case name.
    subscript(name: String) -> [UInt8]? {
        parameters.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    private static let semicolon = UInt8(ascii: ";")
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    /// Takes a value, quoted or not, from its first byte on; nil where a quotation does not end.
    private static func takeValue(_ rest: inout ArraySlice<UInt8>, from start: Int) -> [UInt8]? {
        guard start < rest.endIndex, rest[start] == quote else {
            let end = rest[start...].firstIndex(of: semicolon) ?? rest.endIndex
            let value = trimmed(rest[start..<end])
            rest = rest[end...]
            return value.isEmpty || value.contains(quote) ? nil : Array(value)
        }
        var value: [UInt8] = []
        var index = start + 1
        while index < rest.endIndex {
            if rest[index] == quote {
                rest = rest[(index + 1)...]
                return value
            }
            if rest[index] == backslash, index + 1 < rest.endIndex, rest[index + 1] == quote { index += 1 }
            value.append(rest[index])
            index += 1
        }
        return nil
    }

    private static func withoutLeadingSpaces(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        bytes.drop { $0 == 0x20 || $0 == 0x09 }
    }

    /// The bytes without spaces and tabs at their ends.
    static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = withoutLeadingSpaces(bytes)
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        return bytes
    }

    /// Text whose ASCII letters are made small.
    static func lowercased(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}

/// The bytes of names (RFC 9110 §5.6.2).
enum TokenBytes {
    private static let marks = Set("!#$%&'*+-.^_`|~".utf8)

    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: marks.contains(byte)
        }
    }
}
