import Primitives

/// The target of a request and the host it names (RFC 9112 §3.2).
enum RequestTarget {
    /// The value of the one `Host` field; empty for HTTP/1.0 without one.
    ///
    /// - Throws: `RequestRefusal` where it is missing, repeated, or not a host with an optional port.
    static func host(_ hosts: [String], minorVersion: Int) throws(RequestRefusal) -> String {
        guard let host = hosts.first else {
            guard minorVersion == 0 else { throw refusal("The Host header is missing.") }
            return ""
        }
        guard hosts.count == 1 else { throw refusal("The Host header is given more than once.") }
        guard isHost(host.utf8) else { throw refusal("The Host header is not a host name.") }
        return host
    }

    /// The target in origin form.
    ///
    /// - Throws: `RequestRefusal` for the other forms, but an absolute form that names the same host.
    static func originForm(of target: String, host: String) throws(RequestRefusal) -> String {
        if target.utf8.first == UInt8(ascii: "/") {
            guard !target.utf8.span.contains(UInt8(ascii: "#")) else { throw malformed() }
            return target
        }
        guard let rest = afterScheme(target.utf8) else { throw malformed() }
        let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        guard !host.isEmpty, ByteClasses.equalIgnoringCase(rest[..<end], host.utf8) else {
            throw refusal("The request target names another host than the Host header.")
        }
        let path = rest[end...]
        guard !path.contains(UInt8(ascii: "#")) else { throw malformed() }
        return path.first == UInt8(ascii: "/") ? String(Substring(path)) : "/" + String(Substring(path))
    }

    private static func afterScheme(_ target: String.UTF8View) -> Substring.UTF8View? {
        for scheme in ["http://", "https://"] where target.count > scheme.utf8.count {
            if ByteClasses.equalIgnoringCase(target.prefix(scheme.utf8.count), scheme.utf8) {
                return target.dropFirst(scheme.utf8.count)
            }
        }
        return nil
    }

    /// Letters, digits and what else a registered name or an address in brackets is made of; a colon before a port.
    private static func isHost(_ host: String.UTF8View) -> Bool {
        guard !host.isEmpty, host.count <= 512 else { return false }
        return host.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: ":"): true
            case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "%"): true
            default: false
            }
        }
    }

    private static func malformed() -> RequestRefusal {
        RequestRefusal(.requestLine, code: "InvalidURI", "The request target is not a path.")
    }

    private static func refusal(_ message: String) -> RequestRefusal {
        RequestRefusal(.host, message)
    }
}
