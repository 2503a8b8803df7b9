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
        let span = bytes.span
        // What stands for itself is taken in one piece: most texts are all of it.
        var start = 0
        for index in span.indices {
            let byte = span[index]
            if isUnreserved(byte) || (keepingSlash && byte == UInt8(ascii: "/")) { continue }
            text += bytes[(bytes.startIndex + start)..<(bytes.startIndex + index)]
            text.append(UInt8(ascii: "%"))
            text.append(upperDigits[Int(byte >> 4)])
            text.append(upperDigits[Int(byte & 15)])
            start = index + 1
        }
        text += bytes[(bytes.startIndex + start)...]
    }

    /// Decodes once. Nil where a `%` is not followed by two digits. `plusIsSpace` is for forms and query strings.
    package static func decode(_ bytes: some Collection<UInt8>, plusIsSpace: Bool = false) -> [UInt8]? {
        decode(Array(bytes).span, plusIsSpace: plusIsSpace)
    }

    /// Decodes once, as the other `decode` does.
    package static func decode(_ bytes: Span<UInt8>, plusIsSpace: Bool = false) -> [UInt8]? {
        var isMalformed = false
        let decoded = [UInt8](capacity: bytes.count) { decoded in
            var index = 0
            while index < bytes.count {
                switch bytes[index] {
                case UInt8(ascii: "%"):
                    guard let byte = escapedByte(in: bytes, at: index) else {
                        isMalformed = true
                        return
                    }
                    decoded.append(byte)
                    index += 2
                case UInt8(ascii: "+") where plusIsSpace: decoded.append(UInt8(ascii: " "))
                case let byte: decoded.append(byte)
                }
                index += 1
            }
        }
        return isMalformed ? nil : decoded
    }

    /// The byte that the `%` at a place and the two digits behind it stand for; nil where they are no digits.
    static func escapedByte(in bytes: Span<UInt8>, at index: Int) -> UInt8? {
        guard index + 2 < bytes.count, let high = Hex.value(of: bytes[index + 1]),
            let low = Hex.value(of: bytes[index + 2])
        else { return nil }
        return high << 4 | low
    }
}
