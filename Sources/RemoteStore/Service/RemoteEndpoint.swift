import Primitives

/// Where a remote store is: a service, a bucket and a prefix in it.
///
/// Everything in it is checked when it is made, so that nothing that was configured can end a line of a request, leave
/// its path, or be taken for a credential.
package struct RemoteEndpoint: Sendable, Hashable {
    /// How the bucket is named in a request.
    package enum Addressing: String, Sendable, CaseIterable {
        /// `https://host/bucket/key`
        case path
        /// `https://bucket.host/key`
        case virtualHost = "virtual-host"
    }

    /// Scheme and authority, such as `https://s3.example.org:9000`.
    package let origin: String
    /// The value of the field `host`.
    package let host: String
    /// Whether it speaks TLS.
    package let isEncrypted: Bool
    package let bucket: String
    /// Before every key of ours: empty, or with a slash at its end.
    package let prefix: String
    package let region: String
    private let addressing: Addressing

    /// - Parameters:
    ///   - url: `http` or `https`, a host and perhaps a port; nothing else.
    ///   - prefix: Letters, digits, `-`, `_`, `.`, `~` and single slashes; a slash is added at its end.
    package init(
        url: String, bucket: String, prefix: String = "", region: String = "us-east-1", addressing: Addressing = .path
    ) throws(RemoteSettingError) {
        let (isEncrypted, authority) = try Self.parse(url)
        try Self.check(bucket: bucket)
        guard !region.isEmpty, region.utf8.count <= 64, region.utf8.span.areAll({ Self.isLabelByte($0) }) else {
            throw RemoteSettingError("A region has letters, digits and hyphens, and at most 64 of them.")
        }
        self.isEncrypted = isEncrypted
        self.prefix = try Self.normalise(prefix: prefix)
        (self.bucket, self.region, self.addressing) = (bucket, region, addressing)
        let scheme = isEncrypted ? "https" : "http"
        let usual = isEncrypted ? ":443" : ":80"
        let name = addressing == .virtualHost ? "\(bucket).\(authority)" : authority
        origin = "\(scheme)://\(name)"
        host = name.hasSuffix(usual) ? String(name.dropLast(usual.count)) : name
    }

    /// The target of a request for a key, or for the bucket itself.
    func target(key: String?, query: [(name: String, value: String)] = []) -> String {
        var path = addressing == .path ? "/\(bucket)" : ""
        if let key { path += "/\(PercentCoding.encode(key.utf8, keepingSlash: true))" }
        if path.isEmpty { path = "/" }
        guard !query.isEmpty else { return path }
        let items = query.map { "\(PercentCoding.encode($0.name.utf8))=\(PercentCoding.encode($0.value.utf8))" }
        return "\(path)?\(items.joined(separator: "&"))"
    }

    /// The scheme, and host and port in lower case.
    private static func parse(_ url: String) throws(RemoteSettingError) -> (isEncrypted: Bool, authority: String) {
        let lowered = url.utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        let isEncrypted = lowered.starts(with: "https://".utf8)
        guard isEncrypted || lowered.starts(with: "http://".utf8) else {
            throw RemoteSettingError("The URL of a backend begins with https:// or http://.")
        }
        var rest = lowered[(isEncrypted ? 8 : 7)...]
        if rest.last == UInt8(ascii: "/") { rest.removeLast() }
        // A port is what follows the last colon that is not inside the brackets of an IPv6 address.
        var host = rest
        let colon = rest.lastIndex(of: UInt8(ascii: ":"))
        if let colon, colon > rest.lastIndex(of: UInt8(ascii: "]")) ?? -1 {
            host = rest[..<colon]
            let digits = rest[(colon + 1)...]
            guard digits.count <= 5, digits.allSatisfy({ (0x30...0x39).contains($0) }),
                let port = Int(String(decoding: digits, as: UTF8.self)), (1...65_535).contains(port)
            else { throw RemoteSettingError("The port in the URL of a backend is a number from 1 to 65535.") }
        }
        guard isHost(host) else {
            throw RemoteSettingError(
                "The URL of a backend names a host and perhaps a port: no user, no path, no query, no space.")
        }
        return (isEncrypted, String(decoding: rest, as: UTF8.self))
    }

    private static func isHost(_ host: ArraySlice<UInt8>) -> Bool {
        guard host.count <= 253 else { return false }
        if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]") {
            let address = host.dropFirst().dropLast()
            return address.count > 1 && address.allSatisfy { Hex.value(of: $0) != nil || $0 == UInt8(ascii: ":") }
        }
        return areLabels(host)
    }

    /// Labels of letters, digits and hyphens, with dots between them.
    private static func areLabels(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty && label.count <= 63 && label.allSatisfy(isLabelByte)
                && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
        }
    }

    private static func isLabelByte(_ byte: UInt8) -> Bool {
        switch byte | 0x20 {
        case 0x61...0x7a: byte >= 0x41
        case 0x30...0x39: byte & 0x20 != 0
        default: byte == UInt8(ascii: "-")
        }
    }

    private static func check(bucket: String) throws(RemoteSettingError) {
        let bytes = Array(bucket.utf8)
        guard (3...63).contains(bytes.count), areLabels(bytes[...]),
            bytes.allSatisfy({ !(0x41...0x5a).contains($0) })
        else {
            throw RemoteSettingError(
                "The name of a bucket has 3 to 63 lower-case letters, digits, hyphens and single dots.")
        }
    }

    private static func normalise(prefix: String) throws(RemoteSettingError) -> String {
        guard !prefix.isEmpty else { return "" }
        var segments = prefix.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if segments.last?.isEmpty == true { segments.removeLast() }
        let isRight = segments.allSatisfy { segment in
            !segment.isEmpty && segment.allSatisfy(PercentCoding.isUnreserved)
                && segment.contains { $0 != UInt8(ascii: ".") }
        }
        guard isRight, !segments.isEmpty, prefix.utf8.count <= 512 else {
            throw RemoteSettingError(
                "A prefix has letters, digits, hyphens, dots, underscores and tildes with single slashes between, no "
                    + "part made of dots alone, and at most 512 bytes.")
        }
        return segments.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/") + "/"
    }
}
