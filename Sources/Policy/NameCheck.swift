/// Refuses condition keys that do not exist, and those that do but which no request here has where the statement would
/// then do other than it says: a denial that never applies, an allowance that always does.
struct NameCheck {
    let effect: Statement.Effect

    func check(_ condition: Condition, named name: String) throws(PolicyError) {
        switch ConditionKeys.standing(of: condition.key) {
        case .offered: break
        case .unknown: throw Self.unknown(name) { $0 }
        case .absent:
            let complaint = "Policy has a condition key that is not supported: no request to this server has \(name)"
            if effect == .deny, !condition.holdsWithoutKey {
                throw PolicyError("\(complaint), so that the denial would never apply")
            }
            if effect == .allow, condition.holdsWithoutKey {
                throw PolicyError("\(complaint), so that the condition would always hold")
            }
        }
        for pattern in condition.patterns { try check(variablesOf: pattern) }
    }

    /// A variable that never has a value matches nothing, and one with a default nothing else.
    func check(variablesOf pattern: WildcardPattern) throws(PolicyError) {
        for key in pattern.variableKeys {
            switch ConditionKeys.standing(of: key) {
            case .offered: break
            case .unknown: throw Self.unknown(key) { "${\($0)}" }
            case .absent:
                throw PolicyError(
                    "Policy has a variable that is not supported: no request to this server has ${\(key)}")
            }
        }
    }

    /// - Parameter shown: how a key is written where this one stands.
    private static func unknown(_ key: String, shown: (String) -> String) -> PolicyError {
        let hint = ConditionKeys.suggestion(for: key).map { "; did you mean \(shown($0))?" } ?? ""
        return PolicyError("Policy has an invalid condition key: \(shown(key))\(hint)")
    }
}
