/// How a condition compares, taken apart: `ForAnyValue:StringNotLikeIfExists` is the comparison `stringLike`, negated,
/// with a quantifier and leave to be absent.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>
struct ConditionOperator: Sendable, Hashable {
    enum Comparison: Sendable, Hashable {
        case stringEquals, stringEqualsIgnoreCase, stringLike
        case numericEquals, numericLess, numericLessOrEqual
        case dateEquals, dateLess, dateLessOrEqual
        case bool, binary, ipAddress, arnLike
        case null
    }

    enum Quantifier: Sendable, Hashable {
        case forAllValues, forAnyValue
    }

    let comparison: Comparison
    let isNegated: Bool
    let quantifier: Quantifier?
    let ifExists: Bool
    /// A greater-than is the opposite of a less-or-equal only where there is a value to compare, so it is marked apart.
    let isGreater: Bool

    private static let table: [String: (Comparison, negated: Bool, greater: Bool)] = [
        "StringEquals": (.stringEquals, false, false), "StringNotEquals": (.stringEquals, true, false),
        "StringEqualsIgnoreCase": (.stringEqualsIgnoreCase, false, false),
        "StringNotEqualsIgnoreCase": (.stringEqualsIgnoreCase, true, false),
        "StringLike": (.stringLike, false, false), "StringNotLike": (.stringLike, true, false),
        "NumericEquals": (.numericEquals, false, false), "NumericNotEquals": (.numericEquals, true, false),
        "NumericLessThan": (.numericLess, false, false), "NumericLessThanEquals": (.numericLessOrEqual, false, false),
        "NumericGreaterThan": (.numericLessOrEqual, false, true),
        "NumericGreaterThanEquals": (.numericLess, false, true),
        "DateEquals": (.dateEquals, false, false), "DateNotEquals": (.dateEquals, true, false),
        "DateLessThan": (.dateLess, false, false), "DateLessThanEquals": (.dateLessOrEqual, false, false),
        "DateGreaterThan": (.dateLessOrEqual, false, true), "DateGreaterThanEquals": (.dateLess, false, true),
        "Bool": (.bool, false, false), "BinaryEquals": (.binary, false, false),
        "IpAddress": (.ipAddress, false, false), "NotIpAddress": (.ipAddress, true, false),
        "ArnEquals": (.arnLike, false, false), "ArnNotEquals": (.arnLike, true, false),
        "ArnLike": (.arnLike, false, false), "ArnNotLike": (.arnLike, true, false),
        "Null": (.null, false, false),
    ]

    /// Reads an operator's name; nil for one that is not in the language.
    init?(_ name: String) {
        var rest = name
        var quantifier: Quantifier?
        for (prefix, value) in [("ForAllValues:", Quantifier.forAllValues), ("ForAnyValue:", .forAnyValue)]
        where rest.utf8.starts(with: prefix.utf8) {
            rest = String(decoding: rest.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
            quantifier = value
            break
        }
        let suffix = "IfExists"
        let ifExists = rest.utf8.reversed().starts(with: suffix.utf8.reversed())
        if ifExists { rest = String(decoding: rest.utf8.dropLast(suffix.utf8.count), as: UTF8.self) }
        guard let entry = Self.table[rest], entry.0 != .null || !ifExists && quantifier == nil else { return nil }
        comparison = entry.0
        (isNegated, isGreater) = (entry.negated, entry.greater)
        (self.quantifier, self.ifExists) = (quantifier, ifExists)
    }
}
