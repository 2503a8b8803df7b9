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
    /// allows all but what it cannot name allows nothing.
    func applies(to question: Question) -> Bool {
        guard principals?.matches(question.principal, effect: effect) ?? true else { return false }
        return matches(actions, Array(question.action.utf8), question)
            && matches(resources, question.resource, question)
            && conditions.allSatisfy { $0.holds(question, failsOpen: effect == .deny) }
    }

    private func matches(_ element: Element, _ text: [UInt8], _ question: Question) -> Bool {
        var isUnknown = false
        for pattern in element.patterns {
            guard let resolved = pattern.resolved(question) else {
                isUnknown = true
                continue
            }
            if resolved.matches(text) { return !element.isNegated }
        }
        return element.isNegated && (effect == .deny || !isUnknown)
    }
}
