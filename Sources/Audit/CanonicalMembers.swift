import Primitives

/// Where the top-level members of a canonical JSON object lie, found without building a tree.
///
/// It trusts nothing about the values but their nesting and strings, so that it is quick; `AuditVerifier` alone checks
/// that a record is canonical through and through.
package struct CanonicalMembers: Sendable {
    package struct Member: Sendable {
        /// The name between its quotes.
        package let name: Range<Int>
        package let value: Range<Int>
        /// Where the member begins: at the quote before its name.
        package var start: Int { name.lowerBound - 1 }
    }

    package let members: [Member]

    /// Finds the members of an object; nil where the bytes are no object without white space.
    package init?(_ bytes: [UInt8]) {
        let bytes = bytes.span
        guard bytes.count >= 2, bytes[0] == UInt8(ascii: "{"), bytes[bytes.count - 1] == UInt8(ascii: "}") else {
            return nil
        }
        var found: [Member] = []
        found.reserveCapacity(32)
        let end = bytes.count - 1
        var index = 1
        while index < end {
            guard bytes[index] == UInt8(ascii: "\""),
                let nameEnd = Self.endOfString(bytes, from: index + 1, below: end),
                nameEnd + 1 < end, bytes[nameEnd + 1] == UInt8(ascii: ":"),
                let valueEnd = Self.endOfValue(bytes, from: nameEnd + 2, below: end), valueEnd > nameEnd + 2
            else { return nil }
            found.append(Member(name: index + 1..<nameEnd, value: nameEnd + 2..<valueEnd))
            index = valueEnd
            if index < end {
                // A comma, and something after it.
                index += 1
                guard index < end else { return nil }
            }
        }
        members = found
    }

    /// The value of a member, as it stands; nil where there is none of that name.
    package func value(_ name: String, in bytes: [UInt8]) -> ArraySlice<UInt8>? {
        members.first { bytes[$0.name].elementsEqual(name.utf8) }.map { bytes[$0.value] }
    }

    /// The content of a string member without escapes; nil for anything else.
    package func plainString(_ name: String, in bytes: [UInt8]) -> String? {
        guard let value = value(name, in: bytes), value.count >= 2, value.first == UInt8(ascii: "\""),
            !value.contains(UInt8(ascii: "\\"))
        else { return nil }
        return String(decoding: value.dropFirst().dropLast(), as: UTF8.self)
    }

    /// A whole number that is not negative; nil for anything else.
    package func number(_ name: String, in bytes: [UInt8]) -> UInt64? {
        guard let value = value(name, in: bytes), !value.isEmpty, value.count <= 20 else { return nil }
        var number: UInt64 = 0
        for digit in value {
            guard digit >= 0x30, digit <= 0x39 else { return nil }
            let (tens, overflowed) = number.multipliedReportingOverflow(by: 10)
            let (sum, carried) = tens.addingReportingOverflow(UInt64(digit - 0x30))
            guard !overflowed, !carried else { return nil }
            number = sum
        }
        return number
    }

    /// The position of the quote that ends a string.
    private static func endOfString(_ bytes: Span<UInt8>, from start: Int, below end: Int) -> Int? {
        var index = start
        while index < end {
            switch bytes[index] {
            case UInt8(ascii: "\\"): index += 2
            case UInt8(ascii: "\""): return index
            default: index += 1
            }
        }
        return nil
    }

    /// The position after a value: of the comma that follows it, or of the object's end.
    private static func endOfValue(_ bytes: Span<UInt8>, from start: Int, below end: Int) -> Int? {
        var depth = 0
        var index = start
        while index < end {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                guard let close = endOfString(bytes, from: index + 1, below: end) else { return nil }
                index = close
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                guard depth >= 0 else { return nil }
            case UInt8(ascii: ","):
                if depth == 0 { return index }
            default: break
            }
            index += 1
        }
        return depth == 0 ? end : nil
    }
}
