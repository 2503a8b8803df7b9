import Policy
import Primitives

/// A policy as a plain value, with an evaluator that is as short and as slow as can be, to hold the real one against.
struct ReferencePolicy {
    struct Clause {
        var name: String
        var key: String
        var values: [String]
    }

    struct Rule {
        var allows: Bool
        var negatesAction: Bool
        var actions: [String]
        var negatesResource: Bool
        var resources: [String]
        /// Nil in a policy of an identity; `*`, an account or an ARN otherwise.
        var principals: [String]?
        var clauses: [Clause]
    }

    var rules: [Rule]

    var json: JSON {
        [
            "Version": "2012-10-17",
            "Statement": .array(
                rules.map { rule in
                    var object = JSONObject([
                        ("Effect", .string(rule.allows ? "Allow" : "Deny")),
                        (rule.negatesAction ? "NotAction" : "Action", .array(rule.actions.map { .string($0) })),
                        (rule.negatesResource ? "NotResource" : "Resource", .array(rule.resources.map { .string($0) })),
                    ])
                    if let principals = rule.principals {
                        object["Principal"] = ["AWS": .array(principals.map { .string($0) })]
                    }
                    var block = JSONObject()
                    for clause in rule.clauses {
                        block[clause.name] = .object(
                            JSONObject([(clause.key, .array(clause.values.map { .string($0) }))]))
                    }
                    if !rule.clauses.isEmpty { object["Condition"] = .object(block) }
                    return .object(object)
                }),
        ]
    }

    static func decide(
        _ action: String, _ resource: String, _ principal: Principal, _ context: [String: [String]],
        identity: ReferencePolicy,
        bucket: ReferencePolicy
    ) -> Bool {
        let rules = (principal.kind == .anonymous ? [] : identity.rules) + bucket.rules
        let matching = rules.filter { $0.matches(action, resource, principal, context) }
        if matching.contains(where: { !$0.allows }) { return false }
        return principal.kind == .root || matching.contains { $0.allows }
    }
}

extension ReferencePolicy.Rule {
    func matches(_ action: String, _ resource: String, _ principal: Principal, _ context: [String: [String]]) -> Bool {
        let names = principals ?? ["*"]
        let isNamed = names.contains { name in
            if name == "*" { return true }
            if principal.kind == .anonymous { return false }
            if name == principal.accountID { return !allows || principal.kind == .root }
            return name == principal.arn
        }
        let isAction = actions.contains { glob(Array($0.lowercased().utf8)[...], Array(action.lowercased().utf8)[...]) }
        let isResource = resources.contains { glob(Array($0.utf8)[...], Array(resource.utf8)[...]) }
        return isNamed && isAction != negatesAction && isResource != negatesResource
            && clauses.allSatisfy { $0.holds(context[$0.key] ?? []) }
    }
}

extension ReferencePolicy.Clause {
    func holds(_ actual: [String]) -> Bool {
        var operation = name
        var quantifier = ""
        if let colon = operation.firstIndex(of: ":") {
            quantifier = String(operation[..<colon])
            operation = String(operation[operation.index(after: colon)...])
        }
        let ifExists = operation.contains("IfExists")
        operation = operation.replacing("IfExists", with: "")
        if operation == "Null" { return values == [actual.isEmpty ? "true" : "false"] }
        let negated = operation.contains("Not")
        if actual.isEmpty {
            return ifExists || quantifier == "ForAllValues" || quantifier.isEmpty && negated
        }
        func one(_ value: String) -> Bool {
            values.contains { expected in
                switch operation.replacing("Not", with: "") {
                case "StringLike": glob(Array(expected.utf8)[...], Array(value.utf8)[...])
                case "StringEqualsIgnoreCase": expected.lowercased() == value.lowercased()
                default: expected == value
                }
            }
        }
        switch quantifier {
        case "ForAllValues": return !actual.contains { one($0) == negated }
        case "ForAnyValue": return actual.contains { one($0) != negated }
        default: return negated ? !actual.contains(where: one) : actual.contains(where: one)
        }
    }
}

/// Whether a text matches a pattern, tried in every way there is.
private func glob(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    let rest = pattern.dropFirst()
    if first == UInt8(ascii: "*") {
        return (0...text.count).contains { glob(rest, text.dropFirst($0)) }
    }
    guard let byte = text.first, first == UInt8(ascii: "?") || first == byte else { return false }
    return glob(rest, text.dropFirst())
}
