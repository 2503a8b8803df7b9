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
        for byte in bytes {
            if isUnreserved(byte) || (keepingSlash && byte == UInt8(ascii: "/")) {
                text.append(byte)
            } else {
                text.append(UInt8(ascii: "%"))
                text.append(upperDigits[Int(byte >> 4)])
                text.append(upperDigits[Int(byte & 15)])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Decodes once. Nil where a `%` is not followed by two digits. `plusIsSpace` is for forms and query strings.
    package static func decode(_ bytes: some Collection<UInt8>, plusIsSpace: Bool = false) -> [UInt8]? {
        decode(array: Array(bytes), plusIsSpace)
    }

    private static func decode(array bytes: [UInt8], _ plusIsSpace: Bool) -> [UInt8]? {
        guard bytes.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else { return bytes }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var iterator = bytes.makeIterator()
        while let byte = iterator.next() {
            if byte == UInt8(ascii: "%") {
                guard let first = iterator.next(), let high = Hex.value(of: first), let second = iterator.next(),
                    let low = Hex.value(of: second)
                else { return nil }
                decoded.append(high << 4 | low)
            } else if plusIsSpace && byte == UInt8(ascii: "+") {
                decoded.append(UInt8(ascii: " "))
            } else {
                decoded.append(byte)
            }
        }
        return decoded
    }
}
