extension JSON {
    private static let hexDigits = [UInt8]("0123456789abcdef".utf8)

    /// The one canonical text of this value (RFC 8785): no white space, members sorted by the UTF-16 code units of
    /// their names, the shortest escapes, doubles as ECMAScript writes them.
    ///
    /// Unlike the RFC, which knows doubles alone, an `integer` is written exactly, beyond 2^53 too. A double that is
    /// not finite has no JSON form and is written as `null`.
    package var canonical: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1024)
        appendCanonical(to: &bytes)
        return bytes
    }

    private func appendCanonical(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes += "null".utf8
        case .bool(let value): bytes += (value ? "true" : "false").utf8
        case .integer(let value): bytes += String(value).utf8
        case .double(let value): bytes += Self.ecmaScriptText(of: value).utf8
        case .string(let text): Self.append(text, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.appendCanonical(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object):
            let sorted = Self.inOrder(object.members)
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in sorted.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.append(member.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.appendCanonical(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// The members by the UTF-16 code units of their names. Most objects are made in that order.
    private static func inOrder(_ members: [JSONObject.Member]) -> [JSONObject.Member] {
        let isOrdered = members.indices.dropFirst().allSatisfy { precedes(members[$0 - 1].name, members[$0].name) }
        return isOrdered ? members : members.sorted { precedes($0.name, $1.name) }
    }

    /// Whether a name comes before another one in the canonical text: by UTF-16 code units.
    ///
    /// UTF-8 has the same order, but that a scalar beyond the basic plane (of a first byte from F0 on) comes before
    /// those from U+E000 on (EE, EF).
    package static func precedes(_ left: String, _ right: String) -> Bool {
        let (left, right) = (left.utf8.span, right.utf8.span)
        for index in 0..<min(left.count, right.count) where left[index] != right[index] {
            let (first, second) = (left[index], right[index])
            guard first >= 0xEE, second >= 0xEE, (first >= 0xF0) != (second >= 0xF0) else { return first < second }
            return first >= 0xF0
        }
        return left.count < right.count
    }

    /// Whether a byte stands for itself within a string.
    static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// Appends a string with its quotes and the shortest escapes.
    static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        defer { bytes.append(UInt8(ascii: "\"")) }
        if text.utf8.span.areAll(isPlain) {
            bytes += text.utf8
            return
        }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x08: bytes += "\\b".utf8
            case 0x09: bytes += "\\t".utf8
            case 0x0A: bytes += "\\n".utf8
            case 0x0C: bytes += "\\f".utf8
            case 0x0D: bytes += "\\r".utf8
            case 0..<0x20:
                bytes += "\\u00".utf8
                bytes += [hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
    }

    /// A number by ECMAScript's `Number::toString` (RFC 8785 §3.2.2.3).
    ///
    /// Swift's own description has the same shortest digits; only the place of the point and the exponent differ.
    private static func ecmaScriptText(of value: Double) -> String {
        guard value.isFinite else { return "null" }
        guard value != 0 else { return "0" }
        let sign = value < 0 ? "-" : ""
        let parts = value.magnitude.description.utf8.split(separator: UInt8(ascii: "e"))
        let mantissa = parts[0].split(separator: UInt8(ascii: "."))
        let exponent = parts.count > 1 ? Int(String(Substring(parts[1]))) ?? 0 : 0
        var digits = mantissa.flatMap { Array($0) }
        /// The position of the decimal point relative to the first digit.
        var point = mantissa[0].count + exponent
        while digits.count > 1, digits.first == UInt8(ascii: "0") {
            digits.removeFirst()
            point -= 1
        }
        while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
        func text(_ digits: some Sequence<UInt8>) -> String { String(decoding: Array(digits), as: UTF8.self) }
        func zeros(_ count: Int) -> String { String(repeating: "0", count: count) }
        switch point {
        case digits.count...21: return sign + text(digits) + zeros(point - digits.count)
        case 1..<max(digits.count, 1) where point <= 21:
            return sign + text(digits.prefix(point)) + "." + text(digits.dropFirst(point))
        case -5...0: return sign + "0." + zeros(-point) + text(digits)
        default:
            let fraction = digits.count > 1 ? "." + text(digits.dropFirst()) : ""
            return sign + text(digits.prefix(1)) + fraction + "e" + (point > 0 ? "+" : "-") + String(abs(point - 1))
        }
    }
}
