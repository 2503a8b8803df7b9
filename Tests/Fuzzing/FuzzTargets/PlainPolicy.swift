import Policy
import Primitives

/// A policy as its JSON says it, and a plain evaluation of it. It knows a part of the language; of a policy that uses
/// more it says nothing.
struct PlainPolicy {
    private let statements: [JSONObject]
    private let isIdentity: Bool

    private static let operators: Set<String> = [
        "StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase", "Null",
    ]

    /// Nil where nothing can be said.
    init?(_ json: JSON, isIdentity: Bool) {
        guard let statement = json["Statement"] else { return nil }
        let list = statement.arrayValue ?? [statement]
        statements = list.compactMap(\.objectValue)
        self.isIdentity = isIdentity
        guard statements.count == list.count, !Self.hasVariables(json), statements.allSatisfy(Self.isKnown) else {
            return nil
        }
    }

    private static func hasVariables(_ json: JSON) -> Bool {
        json.canonical.firstRange(of: Array("${".utf8)) != nil
    }

    private static func isKnown(_ statement: JSONObject) -> Bool {
        guard statement["NotPrincipal"] == nil, principals(statement) != nil else { return false }
        return (statement["Condition"]?.objectValue?.members ?? []).allSatisfy { block in
            operators.contains(Operator(block.name).name)
                && (block.value.objectValue?.members ?? []).allSatisfy { isPlain($0.name.lowercased()) }
        }
    }

    /// Whether a key has the values that the context says: others are set by the server, and tags have rules of their
    /// own.
    private static func isPlain(_ key: String) -> Bool {
        !key.contains("tag") && !key.hasPrefix("aws:principal")
            && !["aws:username", "aws:currenttime", "aws:epochtime"].contains(key)
    }

    /// The names of the principals; nil where they are of a kind that is not known.
    private static func principals(_ statement: JSONObject) -> [String]? {
        guard let principal = statement["Principal"] else { return ["*"] }
        if let name = principal.stringValue { return name == "*" ? ["*"] : nil }
        guard let members = principal.objectValue?.members, members.count == 1, members[0].name == "AWS" else {
            return nil
        }
        return texts(members[0].value)
    }

    private static func texts(_ json: JSON?) -> [String] {
        guard let json else { return [] }
        return (json.arrayValue ?? [json]).compactMap { element in
            element.stringValue ?? element.boolValue.map { $0 ? "true" : "false" }
                ?? element.integerValue.map(String.init)
        }
    }

    /// Whether the access is allowed.
    func decides(_ question: PolicyQuestion) -> Bool {
        let isAnonymous = question.principal.kind == .anonymous
        let isOwner = question.principal == .root(account: "111122223333")
        let isManagement = question.action == "s3:PutBucketPolicy"
        var matching = statements.filter { Self.matches($0, question) }
        if isIdentity, isAnonymous { matching = [] }
        if !isIdentity, isOwner, isManagement { matching = [] }
        if matching.contains(where: { $0["Effect"] == "Deny" }) { return false }
        return isOwner || matching.contains { $0["Effect"] == "Allow" }
    }

    private static func matches(_ statement: JSONObject, _ question: PolicyQuestion) -> Bool {
        let principal = question.principal
        let isNamed = (principals(statement) ?? []).contains { name in
            if name == "*" { return true }
            if principal.kind == .anonymous { return false }
            if name == principal.accountID || name == "arn:aws:iam::\(principal.accountID):root" {
                // The account stands for its users where another one lets it in, or where it is denied.
                return statement["Effect"] == "Deny" || principal.kind == .root
            }
            return name == principal.arn
        }
        let action = Array(question.action.lowercased().utf8)
        func element(_ name: String, _ holds: (String) -> Bool) -> Bool {
            statement[name] != nil
                ? texts(statement[name]).contains(where: holds) : !texts(statement["Not" + name]).contains(where: holds)
        }
        return isNamed && element("Action") { matches(Array($0.lowercased().utf8), action) }
            && element("Resource") { matches(Array($0.utf8), Array(question.resource.utf8)) }
            && (statement["Condition"]?.objectValue?.members ?? []).allSatisfy { block in
                (block.value.objectValue?.members ?? []).allSatisfy {
                    Operator(block.name).holds(
                        texts($0.value), question.context[$0.name.lowercased()] ?? [],
                        denies: statement["Effect"] == "Deny")
                }
            }
    }

    /// An operator of a condition, such as `ForAnyValue:StringLikeIfExists`.
    private struct Operator {
        let name: String
        private let quantifier: String
        private let ifExists: Bool

        init(_ text: String) {
            let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
            var name = parts.last ?? ""
            quantifier = parts.count == 2 ? parts[0] : ""
            ifExists = name.hasSuffix("IfExists")
            if ifExists { name = String(name.dropLast(8)) }
            self.name = name
        }

        func holds(_ expected: [String], _ actual: [String], denies: Bool) -> Bool {
            if name == "Null" { return expected.map { $0.lowercased() } == [actual.isEmpty ? "true" : "false"] }
            let isNegated = name.contains("Not")
            if actual.isEmpty { return ifExists || quantifier == "ForAllValues" || quantifier.isEmpty && isNegated }
            func one(_ value: String) -> Bool {
                expected.contains { pattern in
                    switch name.replacing("Not", with: "") {
                    case "StringLike": PlainPolicy.matches(Array(pattern.utf8), Array(value.utf8))
                    case "StringEqualsIgnoreCase": pattern.lowercased() == value.lowercased()
                    default: pattern.utf8.elementsEqual(value.utf8)
                    }
                }
            }
            switch quantifier {
            case "ForAllValues": return actual.allSatisfy { one($0) != isNegated }
            case "ForAnyValue": return actual.contains { one($0) != isNegated }
            default: return isNegated ? !actual.contains(where: one) : actual.contains(where: one)
            }
        }
    }

    /// Whether a text matches a pattern of stars and question marks: which prefixes of the text each prefix of the
    /// pattern matches, one after the other.
    static func matches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
        var ends = [Bool](repeating: false, count: text.count + 1)
        ends[0] = true
        for token in pattern {
            var next = [Bool](repeating: false, count: text.count + 1)
            for end in 0...text.count {
                if token == UInt8(ascii: "*") {
                    next[end] = ends[end] || (end > 0 && next[end - 1])
                } else if end > 0, token == UInt8(ascii: "?") || token == text[end - 1] {
                    next[end] = ends[end - 1]
                }
            }
            ends = next
        }
        return ends[text.count]
    }
}
