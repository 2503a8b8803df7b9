/// One key of the configuration: everything that is known about it stands here, once.
///
/// The file's reader, the environment, `--set`, `config --explain`, the messages and the tests all come from the table
/// of these.
package struct ConfigurationKey: Sendable {
    /// Dotted, as `pool.data-shards`; in the file the parts are nested.
    package let name: String
    package let kind: ValueKind
    /// As it would be written, or nil where the key is unset by default.
    package let defaultText: String?
    /// One or more sentences.
    package let documentation: String
    /// Whether the value is a secret: it is never shown, and not taken from the command line, where others can read it.
    package let isSecret: Bool

    init(
        _ name: String, _ kind: ValueKind, default defaultText: String? = nil, secret: Bool = false,
        _ documentation: String
    ) {
        (self.name, self.kind, self.defaultText) = (name, kind, defaultText)
        (self.documentation, isSecret) = (documentation, secret)
    }

    /// `TIDEGATE_POOL_DATA_SHARDS`; nil for what only the file can hold.
    package var environmentVariable: String? {
        if case .accessKeys = kind { return nil }
        let upper = name.utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "."), UInt8(ascii: "-"): UInt8(ascii: "_")
            case 0x61...0x7A: byte & ~0x20
            default: byte
            }
        }
        return "TIDEGATE_" + String(decoding: upper, as: UTF8.self)
    }
}

/// What values a key takes.
package enum ValueKind: Sendable {
    case text(TextForm)
    /// `HOST:PORT`
    case address
    case integer(ClosedRange<Int64>)
    /// Bytes, with or without `KiB`, `MiB`, `GiB`.
    case size(ClosedRange<Int64>)
    /// With `ms`, `s`, `m` or `h`; kept in milliseconds.
    case duration(ClosedRange<Int64>)
    /// A number with a decimal point, or without.
    case decimal(ClosedRange<Double>)
    case choice([String])
    case list(TextForm)
    /// The list of access keys, which is a structure of its own.
    case accessKeys

    /// What is allowed, for messages and documentation.
    package var allowed: String {
        switch self {
        case .text(let form): form.allowed
        case .address: "HOST:PORT, as 127.0.0.1:9000 or [::1]:9000"
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .size(let range):
            "a size from \(ValueText.size(range.lowerBound)) to \(ValueText.size(range.upperBound)), as 65536, 64KiB "
                + "or 1MiB"
        case .duration(let range):
            "a duration from \(ValueText.duration(range.lowerBound)) to \(ValueText.duration(range.upperBound)), "
                + "as 500ms, 30s, 5m or 1h"
        case .decimal(let range): "a number from \(range.lowerBound) to \(range.upperBound), as 0.02"
        case .choice(let values): "one of " + values.joined(separator: ", ")
        case .list(let form): "a list; each entry \(form.allowed)"
        case .accessKeys: "a list of {access-key, secret or secret-file, user, policies}"
        }
    }
}

/// Which texts a key takes.
package enum TextForm: Sendable {
    case path
    case region
    case accountID
    case node
    case domain
    case accessKey
    case secretKey

    var allowed: String {
        switch self {
        case .path: "a path"
        case .region: "1 to 64 lower-case letters, digits and `-`"
        case .accountID: "12 digits"
        case .node: "1 to 64 letters, digits, `-`, `_` and `.`"
        case .domain: "a domain name in lower case"
        case .accessKey: "3 to 128 letters, digits, `-`, `_` and `.`"
        case .secretKey: "8 to 256 visible ASCII characters"
        }
    }

    func accepts(_ text: String) -> Bool {
        let bytes = text.utf8
        return switch self {
        case .path: (1...4096).contains(bytes.count) && !bytes.contains(0)
        case .region: (1...64).contains(bytes.count) && bytes.allSatisfy { $0.isLower || $0.isDigit || $0 == 0x2D }
        case .accountID: bytes.count == 12 && bytes.allSatisfy(\.isDigit)
        case .node: (1...64).contains(bytes.count) && bytes.allSatisfy(\.isNameByte)
        case .domain: Self.isDomain(Array(bytes))
        case .accessKey: (3...128).contains(bytes.count) && bytes.allSatisfy(\.isNameByte)
        case .secretKey: (8...256).contains(bytes.count) && bytes.allSatisfy { (0x21...0x7E).contains($0) }
        }
    }

    private static func isDomain(_ bytes: [UInt8]) -> Bool {
        let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return bytes.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.count) && label.first != 0x2D && label.last != 0x2D
                    && label.allSatisfy { $0.isLower || $0.isDigit || $0 == 0x2D }
            }
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (0x30...0x39).contains(self) }
    fileprivate var isLower: Bool { (0x61...0x7A).contains(self) }
    /// A letter, a digit, `-`, `_` or `.`.
    fileprivate var isNameByte: Bool {
        isDigit || isLower || (0x41...0x5A).contains(self) || self == 0x2D || self == 0x2E || self == 0x5F
    }
}
