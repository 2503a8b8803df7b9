/// An address, or all addresses with a prefix (RFC 4632, RFC 4291).
///
/// An IPv6 address that carries an IPv4 one is that one, so that a rule on either form means both.
package struct IPAddressRange: Sendable, Hashable {
    /// 4 or 16 bytes.
    package let bytes: [UInt8]
    package let prefix: Int

    /// Reads `192.0.2.1`, `192.0.2.0/24`, `2001:db8::1` or `2001:db8::/32`; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = Self.address(Array(parts[0])) else { return nil }
        var prefix = address.count * 8
        if parts.count == 2 {
            guard let length = Self.number(Array(parts[1]), most: prefix) else { return nil }
            prefix = length
        }
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
        if address.count == 16, address.starts(with: mapped), prefix >= 96 {
            (bytes, self.prefix) = (Array(address[12...]), prefix - 96)
        } else {
            (bytes, self.prefix) = (address, prefix)
        }
    }

    /// Whether the other, a single address, lies in this.
    package func contains(_ other: IPAddressRange) -> Bool {
        guard bytes.count == other.bytes.count, other.prefix >= prefix else { return false }
        let (whole, bits) = prefix.quotientAndRemainder(dividingBy: 8)
        guard bytes.prefix(whole) == other.bytes.prefix(whole) else { return false }
        return bits == 0 || (bytes[whole] ^ other.bytes[whole]) >> UInt8(8 - bits) == 0
    }

    /// What one subscriber has: an address of IPv4, of IPv6 the network of 64 bits that an address lies in.
    package var subscriber: [UInt8] { bytes.count == 4 ? bytes : Array(bytes.prefix(8)) }

    /// The same as text: `192.0.2.1`, or `2001:db8:0:7::/64`.
    package var subscriberText: String {
        guard bytes.count == 16 else { return bytes.map { String($0) }.joined(separator: ".") }
        let groups = stride(from: 0, to: 8, by: 2).map { String(Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]), radix: 16) }
        return groups.joined(separator: ":") + "::/64"
    }

    private static func number(_ digits: [UInt8], most: Int) -> Int? {
        guard (1...3).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            digits.count == 1 || digits[0] != 0x30
        else { return nil }
        let value = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        return value <= most ? value : nil
    }

    private static func address(_ text: [UInt8]) -> [UInt8]? {
        text.contains(UInt8(ascii: ":")) ? version6(text) : version4(text)
    }

    private static func version4(_ text: [UInt8]) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let numbers = parts.compactMap { number(Array($0), most: 255) }
        return parts.count == 4 && numbers.count == 4 ? numbers.map { UInt8($0) } : nil
    }

    private static func version6(_ text: [UInt8]) -> [UInt8]? {
        // The zone of a link-local address says nothing of where it is.
        let text = Array(text.prefix { $0 != UInt8(ascii: "%") })
        guard text.count <= 45 else { return nil }
        var gap: Int?
        for index in text.indices.dropLast() where text[index] == 0x3A && text[index + 1] == 0x3A {
            guard gap == nil else { return nil }
            gap = index
        }
        guard let gap else {
            let all = groups(text)
            return all?.count == 16 ? all : nil
        }
        guard let head = gap == 0 ? [] : groups(Array(text[..<gap])),
            let tail = gap + 2 == text.count ? [] : groups(Array(text[(gap + 2)...])), head.count + tail.count <= 14
        else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    /// The bytes of groups of digits between colons; the last may be an IPv4 address.
    private static func groups(_ text: [UInt8]) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var bytes: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if part.contains(UInt8(ascii: ".")) {
                guard index == parts.count - 1, let last = version4(Array(part)) else { return nil }
                bytes += last
                continue
            }
            let digits = part.compactMap { Hex.value(of: $0) }
            guard (1...4).contains(part.count), digits.count == part.count else { return nil }
            let value = digits.reduce(0) { $0 << 4 | Int($1) }
            bytes += [UInt8(value >> 8), UInt8(value & 255)]
        }
        return bytes
    }
}
