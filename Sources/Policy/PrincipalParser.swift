import Primitives

/// Reads the value of `Principal`.
enum PrincipalParser {
    private static let complaint = PolicyError("Invalid principal in policy")

    static func names(_ value: JSON) throws(PolicyError) -> [PrincipalElement.Name] {
        if value == "*" { return [.everyone] }
        guard let object = value.objectValue, !object.members.isEmpty else { throw complaint }
        var names: [PrincipalElement.Name] = []
        for member in object.members {
            let list = member.value.arrayValue ?? [member.value]
            guard !list.isEmpty else { throw complaint }
            for entry in list {
                guard let text = entry.stringValue, !text.isEmpty else { throw complaint }
                names.append(try name(text, kind: member.name))
            }
        }
        return names
    }

    private static func name(_ text: String, kind: String) throws(PolicyError) -> PrincipalElement.Name {
        switch kind {
        case "AWS":
            if text == "*" { return .everyone }
            if isAccount(text.utf8) { return .account(text) }
            return try arn(text)
        case "CanonicalUser":
            guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "*") }) else {
                throw complaint
            }
            return .canonicalUser(text)
        case "Service": return .service
        case "Federated": return .federated
        default: throw complaint
        }
    }

    /// `arn:aws:iam::ACCOUNT:root` is the account; of others, users and roles, no part may be a wildcard.
    private static func arn(_ text: String) throws(PolicyError) -> PrincipalElement.Name {
        let parts = ConditionValue.arnParts(text).map { String(decoding: $0, as: UTF8.self) }
        guard parts.count == 6, parts[0] == "arn", parts[1] == "aws", ["iam", "sts"].contains(parts[2]),
            parts[3].isEmpty, isAccount(parts[4].utf8),
            parts[5].utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"*?${}".utf8.contains($0) })
        else { throw complaint }
        if parts[2] == "iam", parts[5] == "root" { return .account(parts[4]) }
        let prefixes = parts[2] == "iam" ? ["user/", "role/"] : ["assumed-role/", "federated-user/"]
        guard
            prefixes.contains(where: { parts[5].utf8.starts(with: $0.utf8) && parts[5].utf8.count > $0.utf8.count })
        else { throw complaint }
        return .arn(text)
    }

    /// Letters, digits and hyphens; AWS's own have twelve digits.
    private static func isAccount(_ text: some Collection<UInt8>) -> Bool {
        (1...64).contains(text.count)
            && text.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
