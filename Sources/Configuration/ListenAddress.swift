/// Where to listen: a host and a port.
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// An IPv4 address, an IPv6 address without brackets, or a name.
    package var host: String
    /// 0 takes any free one.
    package var port: Int

    package init(host: String, port: Int) {
        (self.host, self.port) = (host, port)
    }

    /// Reads `HOST:PORT` and `[IPV6]:PORT`; nil for anything else.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        let digits = bytes[(colon + 1)...]
        guard (1...5).contains(digits.count), digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            let port = Int(String(decoding: digits, as: UTF8.self)), port <= 65_535
        else { return nil }
        var name = bytes[..<colon]
        let isBracketed = name.first == UInt8(ascii: "[") && name.last == UInt8(ascii: "]")
        if isBracketed { name = name.dropFirst().dropLast() }
        guard !name.isEmpty, name.contains(UInt8(ascii: ":")) == isBracketed, name.allSatisfy(Self.isHostByte) else {
            return nil
        }
        self.init(host: String(decoding: name, as: UTF8.self), port: port)
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x3A, 0x5F, 0x25: true
        default: false
        }
    }

    /// Whether only this machine can reach it. A name but `localhost` is taken to be reachable from elsewhere.
    package var isLoopback: Bool {
        if host.utf8.elementsEqual("localhost".utf8) || host.utf8.elementsEqual("::1".utf8) { return true }
        let parts = host.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .map { UInt8(String(decoding: $0, as: UTF8.self)) }
        return parts.count == 4 && parts.allSatisfy { $0 != nil } && parts[0] == 127
    }

    /// Where a process of this machine reaches what listens there: an address that stands for all of them is none to
    /// connect to.
    package var reachable: ListenAddress {
        switch Array(host.utf8) {
        case Array("0.0.0.0".utf8): ListenAddress(host: "127.0.0.1", port: port)
        case Array("::".utf8): ListenAddress(host: "::1", port: port)
        default: self
        }
    }

    package var description: String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
