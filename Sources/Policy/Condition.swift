import Primitives

/// One key of a condition block, with its operator and the values that it is compared with.
struct Condition: Sendable, Hashable {
    let comparison: ConditionOperator
    /// In lower case.
    let key: String
    let values: [ConditionValue]
    /// Those of `patterns` in which there are variables.
    private let templates: [WildcardPattern]

    init(comparison: ConditionOperator, key: String, values: [ConditionValue]) {
        (self.comparison, self.key, self.values) = (comparison, key, values)
        templates = values.flatMap(\.patterns).filter { !$0.variableKeys.isEmpty }
    }

    /// The patterns among its values.
    var patterns: [WildcardPattern] { values.flatMap(\.patterns) }

    /// Whether it holds where the key is absent, whatever its values are; but for a variable in them that has none.
    var holdsWithoutKey: Bool {
        if comparison.comparison == .null { return values == [.bool(true)] }
        if comparison.ifExists || comparison.quantifier == .forAllValues { return true }
        return comparison.quantifier != .forAnyValue && comparison.isNegated
    }

    /// Whether it holds.
    ///
    /// A key that is absent makes a negated comparison true and every other one false, but for `IfExists`, `Null` and
    /// `ForAllValues`. Of several values, a plain comparison wants one to match and a negated one none;
    /// `ForAnyValue` wants one value for which the comparison, negated or not, is true, and `ForAllValues` all of them
    /// (GHSA-v9cp: the quantifier goes over the request's values, the negation belongs to the comparison inside).
    ///
    /// Where it cannot be known which of several values is meant, of a key that has one or in the place of a variable,
    /// every one of them must make an allowance, and any of them makes a denial.
    ///
    /// - Parameter denies: whether a statement that denies asks. A negated comparison is true where a variable in it
    ///   has no value, but not for a statement that allows.
    func holds(_ question: Question, denies: Bool) -> Bool {
        let actual = question.values(key)
        if comparison.comparison == .null { return values == [.bool(actual == nil)] }
        guard let actual else {
            let ignoresValues = comparison.ifExists || comparison.quantifier == .forAllValues
            return holdsWithoutKey && (ignoresValues || denies || !hasUnknown(question))
        }
        if denies {
            if templates.contains(where: { $0.isAmbiguous(question) }) { return true }
        } else if comparison.isNegated, hasUnknown(question) {
            return false
        }
        guard actual.count > 1, ConditionKeys.isOfTag(key) else { return holds(actual, question) }
        return denies
            ? actual.contains { holds([$0], question) }
            : actual.allSatisfy { holds([$0], question) }
    }

    private func holds(_ actual: [String], _ question: Question) -> Bool {
        switch comparison.quantifier {
        case nil:
            return actual.contains { matches($0, question) } != comparison.isNegated
        case .forAnyValue:
            return actual.contains { matches($0, question) != comparison.isNegated }
        case .forAllValues:
            return actual.allSatisfy { matches($0, question) != comparison.isNegated }
        }
    }

    private func hasUnknown(_ question: Question) -> Bool {
        templates.contains { $0.isUnknown(question) }
    }

    /// Whether one value of the request matches one of ours, negation apart. The request's is read once for all of
    /// ours.
    private func matches(_ actual: String, _ question: Question) -> Bool {
        guard question.cost.spend(actual.utf8.count + values.count) else { return false }
        switch comparison.comparison {
        case .stringEquals, .stringLike:
            let text = Array(actual.utf8)
            return values.contains { if case .pattern(let own) = $0 { own.matches(text, question) } else { false } }
        case .stringEqualsIgnoreCase:
            let text = Array(actual.lowercased().utf8)
            return values.contains { value in
                if case .ignoringCase(let own) = value { own.matches(text, question, lowercases: true) } else { false }
            }
        case .numericEquals, .numericLess, .numericLessOrEqual:
            guard let number = ConditionValue.number(actual) else { return false }
            return values.contains { if case .number(let own) = $0 { compare(number, own) } else { false } }
        case .dateEquals, .dateLess, .dateLessOrEqual:
            guard let date = ConditionValue.date(actual) else { return false }
            return values.contains { if case .date(let own) = $0 { compare(date, own) } else { false } }
        case .bool:
            guard let bool = ConditionValue.bool(actual) else { return false }
            return values.contains(.bool(bool))
        case .binary:
            guard let bytes = Base64.decode(actual) else { return false }
            return values.contains(.bytes(bytes))
        case .ipAddress:
            guard let address = IPAddressRange(actual) else { return false }
            return values.contains { if case .range(let own) = $0 { own.contains(address) } else { false } }
        case .arnLike:
            let parts = ConditionValue.arnParts(actual)
            return values.contains { if case .arn(let own) = $0 { matches(parts, own, question) } else { false } }
        // `holds` has answered it: it compares no values.
        case .null: return false
        }
    }

    private func compare<Value: Comparable>(_ actual: Value, _ expected: Value) -> Bool {
        let holds =
            switch comparison.comparison {
            case .numericLess, .dateLess: actual < expected
            case .numericLessOrEqual, .dateLessOrEqual: actual <= expected
            default: actual == expected
            }
        return holds != comparison.isGreater
    }

    private func matches(_ actual: [[UInt8]], _ own: [WildcardPattern], _ question: Question) -> Bool {
        if own.count == 1 { return true }
        return actual.count == 6 && zip(own, actual).allSatisfy { $0.matches($1, question) }
    }
}
