/// What the probe found of one ability.
package struct ProbeFinding: Sendable, Hashable {
    package enum Verdict: String, Sendable, Hashable {
        /// The backend has it.
        case good
        /// The backend can be taken, with what the detail says of it.
        case limited
        /// The backend cannot be taken.
        case refused
        /// It could not be measured.
        case unknown
    }

    package var ability: Ability
    package var verdict: Verdict
    /// Sentences for the operator. Of what the backend wrote, they repeat codes and numbers that were checked, and
    /// nothing else.
    package var detail: String

    package init(ability: Ability, verdict: Verdict, detail: String) {
        (self.ability, self.verdict, self.detail) = (ability, verdict, detail)
    }
}
