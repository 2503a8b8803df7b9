/// What the probe found.
package struct ProbeReport: Sendable, Hashable {
    /// One for each ability, in the order of `Ability`.
    package var findings: [ProbeFinding]
    package var abilities: BackendAbilities

    package init(findings: [ProbeFinding], abilities: BackendAbilities) {
        (self.findings, self.abilities) = (findings, abilities)
    }

    /// What keeps the backend from being taken: what was refused, or where nothing was, what has to be known and could
    /// not be measured.
    package var refusals: [ProbeFinding] {
        let refused = findings.filter { $0.verdict == .refused }
        guard refused.isEmpty else { return refused }
        return findings.filter { $0.verdict == .unknown && $0.ability.isRequired }
    }

    /// Whether the backend was seen to keep the laws of stores.
    package var isAcceptable: Bool {
        let seen = findings.filter { $0.verdict != .unknown }.map(\.ability)
        return refusals.isEmpty && Ability.allCases.allSatisfy { !$0.isRequired || seen.contains($0) }
    }
}
