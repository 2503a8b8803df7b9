/// Percent-encoding (RFC 3986 §2.1), on bytes.
package enum PercentCoding {
    private static let upperDigits = [UInt8]("0123456789ABCDEF".utf8)

    /// Whether RFC 3986 calls the byte unreserved, so that SigV4 leaves it as it is.
    package static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// Encodes all but the unreserved bytes, with upper-case digits; `keepingSlash` leaves `/` as it is.
    package static func encode(_ bytes: some Sequence<UInt8>, keepingSlash: Bool = false) -> String {
        // A loop over bytes of a type that is not known here would look each of them up through a table.
        encode(array: Array(bytes), keepingSlash)
    }

    private static func encode(array bytes: [UInt8], _ keepingSlash: Bool) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count + 16)
        append(bytes[...], to: &text, keepingSlash: keepingSlash)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends what `encode` gives.
    package static func append(_ bytes: ArraySlice<UInt8>, to text: inout [UInt8], keepingSlash: Bool = false) {
        for byte in bytes {
            if isUnreserved(byte) || (keepingSlash && byte == UInt8(ascii: "/")) {
                text.append(byte)
            } else {
                text.append(UInt8(ascii: "%"))
                text.append(upperDigits[Int(byte >> 4)])
                text.append(upperDigits[Int(byte & 15)])
            }
        }
    }

    /// Decodes once. Nil where a `%` is not followed by two digits. `plusIsSpace` is for forms and query strings.
    package static func decode(_ bytes: some Collection<UInt8>, plusIsSpace: Bool = false) -> [UInt8]? {
        decode(array: Array(bytes), plusIsSpace)
    }

    private static func decode(array bytes: [UInt8], _ plusIsSpace: Bool) -> [UInt8]? {
        var bytes = bytes
        guard let place = decode(in: &bytes, 0..<bytes.count, to: 0, plusIsSpace) else { return nil }
        bytes.removeLast(bytes.count - place.count)
        return bytes
    }

    /// Decodes a range of an array of bytes once, `+` as a space, within the array: to where the range begins, or
    /// before.
    ///
    /// - Returns: Where the decoded bytes stand; nil where a `%` is not followed by two digits within the range.
    static func decodeForm(in bytes: inout [UInt8], _ range: Range<Int>, to start: Int) -> Range<Int>? {
        decode(in: &bytes, range, to: start, true)
    }

    private static func decode(
        in bytes: inout [UInt8], _ range: Range<Int>, to start: Int, _ plusIsSpace: Bool
    ) -> Range<Int>? {
        var (read, written) = (range.lowerBound, start)
        while read < range.upperBound {
            var byte = bytes[read]
            if byte == UInt8(ascii: "%") {
                guard read + 2 < range.upperBound, let high = Hex.value(of: bytes[read + 1]),
                    let low = Hex.value(of: bytes[read + 2])
                else { return nil }
                byte = high << 4 | low
                read += 2
            } else if plusIsSpace && byte == UInt8(ascii: "+") {
                byte = UInt8(ascii: " ")
            }
            bytes[written] = byte
            (read, written) = (read + 1, written + 1)
        }
        return start..<written
    }
}
