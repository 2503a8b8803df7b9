/// One statement of a policy.
struct Statement: Sendable, Hashable {
    enum Effect: String, Sendable {
        case allow = "Allow"
        case deny = "Deny"
    }

    /// An element that may stand with or without `Not`.
    struct Element: Sendable, Hashable {
        let patterns: [WildcardPattern]
        let isNegated: Bool
    }

    /// Nil where it has none, or an empty one.
    let sid: String?
    let effect: Effect
    /// Nil in a policy of an identity, which names nobody.
    let principals: PrincipalElement?
    /// In lower case.
    let actions: Element
    let resources: Element
    let conditions: [Condition]

    /// Whether every element matches.
    ///
    /// Where a variable has no value nothing can be said, and an allowance must not follow from that: a statement that
    /// allows all but what it cannot name allows nothing. Where a variable has several values, one of
    /// them may be the one that is meant, and a denial applies.
    func applies(to question: Question) -> Bool {
        guard principals?.matches(question.principal, effect: effect) ?? true else { return false }
        return matches(actions, question.actionBytes, question) && matches(resources, question.resource, question)
            && conditions.allSatisfy { $0.holds(question, denies: effect == .deny) }
    }

    private func matches(_ element: Element, _ text: [UInt8], _ question: Question) -> Bool {
        var (isUnknown, isAmbiguous) = (false, false)
        for pattern in element.patterns {
            if pattern.matches(text, question) { return !element.isNegated }
            if question.cost.isExceeded { return false }
            guard pattern.isUnknown(question) else { continue }
            isUnknown = true
            isAmbiguous = isAmbiguous || pattern.isAmbiguous(question)
        }
        guard effect == .deny else { return element.isNegated && !isUnknown }
        return element.isNegated || isAmbiguous
    }
}
