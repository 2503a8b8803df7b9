package import Audit
package import Identity
package import Policy
import Signing

/// Who asks, and how that is known.
package struct Caller: Sendable {
    /// How a request was authenticated, in CloudTrail's words.
    package enum Method: String, Sendable {
        case none = "None"
        case header = "AuthHeader"
        case query = "QueryString"
        case post = "PostPolicy"
    }

    package var principal: Principal
    package var policies: [PolicyDocument]
    package var method: Method
    package var auditIdentity: AuditIdentity

    package var isAnonymous: Bool { method == .none }

    /// Whoever sends a request that could not be authenticated.
    package static let unknown = Caller(
        principal: .anonymous, policies: [], method: .none, auditIdentity: .anonymous)

    private init(
        principal: Principal, policies: [PolicyDocument], method: Method, auditIdentity: AuditIdentity
    ) {
        (self.principal, self.policies) = (principal, policies)
        (self.method, self.auditIdentity) = (method, auditIdentity)
    }

    package init(_ request: AuthenticatedRequest) {
        self.init(
            request.principal, request.accessKey, by: request.presented?.carrier == .query ? .query : .header)
    }

    package init(_ form: AuthenticatedForm) {
        self.init(form.principal, form.accessKey, by: .post)
    }

    /// - Parameter method: how the key signed, if there is one.
    private init(_ principal: Principal, _ key: AccessKey?, by method: Method) {
        self.principal = principal
        guard let key else {
            (policies, self.method, auditIdentity) = ([], .none, .anonymous)
            return
        }
        policies = key.policies
        self.method = method
        auditIdentity = AuditIdentity(
            type: principal.kind == .root ? "Root" : "IAMUser", principalID: key.id, arn: principal.arn,
            accountID: principal.accountID,
            accessKeyID: key.id, userName: key.userName)
    }
}
