import Primitives

/// One key of a condition block, with its operator and the values that it is compared with.
struct Condition: Sendable, Hashable {
    let comparison: ConditionOperator
    /// In lower case.
    let key: String
    let values: [ConditionValue]

    /// Whether it holds.
    ///
    /// A key that is absent makes a negated comparison true and every other one false, but for `IfExists`, `Null` and
    /// `ForAllValues`. Of several values, a plain comparison wants one to match and a negated one none;
    /// `ForAnyValue` wants one value for which the comparison, negated or not, is true, and `ForAllValues` all of them
    /// (GHSA-v9cp: the quantifier goes over the request's values, the negation belongs to the comparison inside).
    ///
    /// - Parameter failsOpen: whether a negated comparison is true where a variable in it has no value. It must not be
    ///   for a statement that allows.
    func holds(_ question: Question, failsOpen: Bool) -> Bool {
        let actual = question.values(key)
        if comparison.comparison == .null { return values == [.bool(actual == nil)] }
        guard let actual else {
            if comparison.ifExists || comparison.quantifier == .forAllValues { return true }
            if comparison.quantifier == .forAnyValue { return false }
            return comparison.isNegated && (failsOpen || !hasUnknown(question))
        }
        if comparison.isNegated, !failsOpen, hasUnknown(question) { return false }
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
        values.contains { value in
            switch value {
            case .pattern(let pattern), .ignoringCase(let pattern): pattern.resolved(question) == nil
            case .arn(let parts): parts.contains { $0.resolved(question) == nil }
            default: false
            }
        }
    }

    /// Whether one value of the request matches one of ours, negation apart.
    private func matches(_ actual: String, _ question: Question) -> Bool {
        values.contains { value in
            switch value {
            case .pattern(let pattern): pattern.resolved(question)?.matches(Array(actual.utf8)) == true
            case .ignoringCase(let pattern):
                pattern.resolved(question)?.lowercased.matches(Array(actual.lowercased().utf8)) == true
            case .number(let number): ConditionValue.number(actual).map { compare($0, number) } ?? false
            case .date(let date): ConditionValue.date(actual).map { compare($0, date) } ?? false
            case .bool(let bool): ConditionValue.bool(actual) == bool
            case .bytes(let bytes): Base64.decode(actual) == bytes
            case .range(let range): IPAddressRange(actual).map { range.contains($0) } ?? false
            case .arn(let parts): matches(arn: actual, parts, question)
            }
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

    private func matches(arn actual: String, _ parts: [WildcardPattern], _ question: Question) -> Bool {
        if parts.count == 1 { return true }
        let actualParts = ConditionValue.arnParts(actual)
        guard actualParts.count == 6 else { return false }
        return zip(parts, actualParts).allSatisfy { $0.resolved(question)?.matches($1) == true }
    }
}

extension ResolvedPattern {
    /// The same in lower case, as a variable's value may not be.
    fileprivate var lowercased: ResolvedPattern {
        var bytes: [UInt8] = []
        for token in tokens { if case .byte(let byte) = token { bytes.append(byte) } }
        let text = String(decoding: bytes, as: UTF8.self).lowercased()
        return ResolvedPattern(tokens: text.utf8.map { .byte($0) })
    }
}
