package import Primitives

/// What a principal may change of a bucket's policy although the policy itself denies it, so that nobody locks
/// themselves out for good.
private let policyManagement: Set<String> = ["s3:putbucketpolicy", "s3:getbucketpolicy", "s3:deletebucketpolicy"]

/// Decides an access: a denial beats everything, ownership or an allowance by either side lets it pass, and where
/// nothing matches it is denied. Anonymous access is a matter of the bucket's policy alone.
///
/// - Parameters:
///   - principal: whoever asks. Its own condition keys (`aws:username`, `aws:PrincipalArn`, …) are set from it.
///   - now: the time that `aws:CurrentTime` and `aws:EpochTime` are.
///   - cost: counts what it costs. Where that is more than it may be, the answer is a denial, for which
///     `limit:evaluation-cost` stands among the reasons.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>
package func decide(
    _ access: Access, by principal: Principal, at now: Timestamp, under policies: PolicySet,
    cost: EvaluationCost = EvaluationCost()
) -> Decision {
    // Where there is nothing to weigh, nothing needs to be known of the request.
    guard policies.resource != nil || principal.kind != .anonymous && !policies.identity.isEmpty else {
        return Decision(allowed: principal.isOwner, explicitDeny: false, reasons: principal.isOwner ? ["owner"] : [])
    }
    let question = Question(access: access, principal: principal, now: now, cost: cost)
    var (denied, allowed): ([String], [String]) = ([], [])
    func weigh(_ document: PolicyDocument, _ side: String) {
        for (index, statement) in document.statements.enumerated() where statement.applies(to: question) {
            let name = "\(side):\(statement.sid ?? "#\(index + 1)")"
            if statement.effect == .deny { denied.append(name) } else { allowed.append(name) }
        }
    }
    if principal.kind != .anonymous {
        for document in policies.identity { weigh(document, "identity") }
    }
    let isOwnersPolicy = principal.isOwner && policyManagement.contains(question.action)
    if let document = policies.resource, !isOwnersPolicy { weigh(document, "bucket") }
    if cost.isExceeded {
        return Decision(allowed: false, explicitDeny: true, reasons: denied + ["limit:evaluation-cost"])
    }
    if !denied.isEmpty { return Decision(allowed: false, explicitDeny: true, reasons: denied) }
    if principal.isOwner { return Decision(allowed: true, explicitDeny: false, reasons: ["owner"]) }
    return Decision(allowed: !allowed.isEmpty, explicitDeny: false, reasons: allowed)
}

/// An access with everything that statements ask of it, made once.
struct Question {
    /// In lower case.
    let action: String
    let actionBytes: [UInt8]
    let resource: [UInt8]
    let principal: Principal
    let context: [String: [String]]
    let cost: EvaluationCost

    init(access: Access, principal: Principal, now: Timestamp, cost: EvaluationCost) {
        action = access.action.lowercased()
        actionBytes = Array(action.utf8)
        self.cost = cost
        resource = Array(access.resource.utf8)
        self.principal = principal
        var context = access.context
        context["aws:currenttime"] = [now.iso8601]
        context["aws:epochtime"] = [String(now.seconds)]
        context["aws:principaltype"] = [principal.kind.rawValue]
        let isKnown = principal.kind != .anonymous
        context["aws:username"] = principal.userName.map { [$0] }
        context["aws:principalarn"] = isKnown ? [principal.arn] : nil
        context["aws:principalaccount"] = isKnown ? [principal.accountID] : nil
        self.context = context
    }

    /// The values of a condition key. A key without values is as if it were not there.
    func values(_ key: String) -> [String]? {
        guard let values = context[key], !values.isEmpty else { return nil }
        return values
    }
}
