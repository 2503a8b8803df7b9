import Primitives

/// A value that a policy compares with, read once, when the policy is.
enum ConditionValue: Sendable, Hashable {
    case pattern(WildcardPattern)
    /// In lower case.
    case ignoringCase(WildcardPattern)
    case number(Double)
    case date(Timestamp)
    case bool(Bool)
    case bytes([UInt8])
    case range(IPAddressRange)
    /// The six parts of an ARN; a single one matches anything.
    case arn([WildcardPattern])

    /// The patterns in it.
    var patterns: [WildcardPattern] {
        switch self {
        case .pattern(let pattern), .ignoringCase(let pattern): [pattern]
        case .arn(let parts): parts
        default: []
        }
    }

    /// - Throws: `PolicyError` for a value that the comparison cannot take.
    init(_ text: String, for comparison: ConditionOperator.Comparison, variables: Bool) throws(PolicyError) {
        switch comparison {
        case .stringEquals:
            self = .pattern(try WildcardPattern(text.utf8, wildcards: false, variables: variables))
        case .stringLike: self = .pattern(try WildcardPattern(text.utf8, variables: variables))
        case .stringEqualsIgnoreCase:
            self = .ignoringCase(
                try WildcardPattern(text.lowercased().utf8, wildcards: false, variables: variables))
        case .numericEquals, .numericLess, .numericLessOrEqual:
            guard let number = Self.number(text) else { throw Self.invalid(text, "number") }
            self = .number(number)
        case .dateEquals, .dateLess, .dateLessOrEqual:
            guard let date = Self.date(text) else { throw Self.invalid(text, "date") }
            self = .date(date)
        case .bool, .null:
            guard let bool = Self.bool(text) else { throw Self.invalid(text, "truth value") }
            self = .bool(bool)
        case .binary:
            guard let bytes = Base64.decode(text) else { throw Self.invalid(text, "base 64") }
            self = .bytes(bytes)
        case .ipAddress:
            guard let range = IPAddressRange(text) else { throw Self.invalid(text, "IP address or range") }
            self = .range(range)
        case .arnLike: self = .arn(try Self.arn(text, variables: variables))
        }
    }

    private static func invalid(_ text: String, _ kind: String) -> PolicyError {
        PolicyError("Invalid value in condition: \"\(text)\" is no \(kind).")
    }

    /// A decimal number; neither hexadecimal nor infinite.
    static func number(_ text: String) -> Double? {
        guard (1...40).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }),
            let number = Double(text), number.isFinite
        else { return nil }
        return number
    }

    /// ISO 8601, or seconds since 1970.
    static func date(_ text: String) -> Timestamp? {
        if let date = Timestamp(iso8601: text) { return date }
        guard let seconds = Int64(text), (-9_000_000_000...9_000_000_000).contains(seconds) else { return nil }
        return Timestamp(seconds: seconds)
    }

    static func bool(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true": true
        case "false": false
        default: nil
        }
    }

    private static func arn(_ text: String, variables: Bool) throws(PolicyError) -> [WildcardPattern] {
        let parts = arnParts(text)
        guard parts.count == 6 || text == "*" else { throw invalid(text, "ARN") }
        var patterns: [WildcardPattern] = []
        for part in parts { patterns.append(try WildcardPattern(part, variables: variables)) }
        return patterns
    }

    /// What stands between the first five colons that are no part of a variable, and the rest.
    static func arnParts(_ text: String) -> [[UInt8]] {
        var parts: [[UInt8]] = [[]]
        var isInVariable = false
        for byte in text.utf8 {
            if byte == UInt8(ascii: "{"), parts[parts.count - 1].last == UInt8(ascii: "$") { isInVariable = true }
            if byte == UInt8(ascii: "}") { isInVariable = false }
            if byte == UInt8(ascii: ":"), !isInVariable, parts.count < 6 {
                parts.append([])
            } else {
                parts[parts.count - 1].append(byte)
            }
        }
        return parts
    }
}
