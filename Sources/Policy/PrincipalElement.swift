/// Whom a statement of a bucket policy is about.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
struct PrincipalElement: Sendable, Hashable {
    enum Name: Sendable, Hashable {
        case everyone
        /// All of an account.
        case account(String)
        /// One user, by ARN.
        case arn(String)
        case canonicalUser(String)
        /// A service, which nobody here is.
        case service
        /// An identity provider, by which nobody here is known.
        case federated
    }

    let names: [Name]
    let isNegated: Bool

    /// Whether nobody in particular is meant: everyone, or whoever an identity provider knows.
    var namesThePublic: Bool { !isNegated && names.contains { $0 == .everyone || $0 == .federated } }

    func matches(_ principal: Principal, effect: Statement.Effect) -> Bool {
        // Naming an account in an allowance leaves it to that account which of its users may: the own account's users
        // need a policy of their own, and another account's have one, or they would not come here.
        let meansUsers = effect == .deny || isNegated || !principal.isInOwnAccount
        let isNamed = names.contains { name in
            switch name {
            case .everyone: true
            case .account(let account):
                principal.kind != .anonymous && account.utf8.elementsEqual(principal.accountID.utf8)
                    && (meansUsers || principal.kind == .root)
            case .arn(let arn): principal.kind != .anonymous && arn.utf8.elementsEqual(principal.arn.utf8)
            case .canonicalUser(let id):
                principal.canonicalUserID.map { $0.utf8.elementsEqual(id.utf8) } == true
                    && (meansUsers || principal.kind == .root)
            case .service, .federated: false
            }
        }
        return isNamed != isNegated
    }
}
