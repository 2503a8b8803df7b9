/// What came of measuring one ability.
struct ProbeOutcome: Sendable {
    let verdict: ProbeFinding.Verdict
    let detail: String

    static func good(_ detail: String) -> ProbeOutcome { ProbeOutcome(verdict: .good, detail: detail) }
    static func limited(_ detail: String) -> ProbeOutcome { ProbeOutcome(verdict: .limited, detail: detail) }
    static func refused(_ detail: String) -> ProbeOutcome { ProbeOutcome(verdict: .refused, detail: detail) }
    static func unknown(_ detail: String) -> ProbeOutcome { ProbeOutcome(verdict: .unknown, detail: detail) }
}

/// Why measuring an ability ended before its last step.
enum ProbeStop: Error {
    /// The backend was seen to be unable, and how.
    case refused(String)
    case fault(RemoteFault)
    case outOfTime

    /// What that says of the ability.
    func outcome(isRequired: Bool) -> ProbeOutcome {
        switch self {
        case .refused(let detail): return .refused(detail)
        case .outOfTime: return .unknown("It could not be measured in the time that the probe takes.")
        case .fault(let fault):
            guard isRequired, !Self.mayPass(fault) else { return .unknown("It could not be measured: \(fault).") }
            return .refused("The backend failed at it: \(fault).\(Self.advice(fault))")
        }
    }

    /// Whether nothing was seen of the backend that would be so the next time.
    private static func mayPass(_ fault: RemoteFault) -> Bool {
        switch fault.kind {
        case .transfer(.broken), .transfer(.malformed), .wrong: false
        case .transfer: true
        case .refused(let answer): answer.isThrottling
        }
    }

    private static func advice(_ fault: RemoteFault) -> String {
        fault.hasCode("AccessDenied") ? " The credentials may not do it." : ""
    }
}
