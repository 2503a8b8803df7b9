package import Audit
package import Identity
package import Policy
package import Primitives
package import Signing

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
    /// Nil for whoever signed nothing.
    package var signatureVersion: SignatureVersion?
    /// When a presigned URL or a form says that it was signed; nil for what is signed as it is sent, and for signature
    /// version 2, which does not say it.
    package var signedAhead: Timestamp?

    /// Whether it was signed ahead, and the signature does not say when: what signature version 2 presigned, which says
    /// only when that ends.
    package var hidesSigningTime: Bool { signatureVersion == .version2 && (method == .query || method == .post) }

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
        let isPresigned = request.presented?.carrier == .query
        self.init(request.principal, request.accessKey, by: isPresigned ? .query : .header)
        signatureVersion = request.presented?.version
        if isPresigned, case .version4(let presented) = request.presented { signedAhead = presented.date }
    }

    package init(_ form: AuthenticatedForm) {
        self.init(form.principal, form.accessKey, by: .post)
        signatureVersion = form.signatureVersion
        signedAhead = form.signedAt
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

extension SignatureVersion {
    /// As records name it.
    var recordName: String {
        switch self {
        case .version2: "SigV2"
        case .version4: "SigV4"
        }
    }

    /// As the condition key `s3:signatureversion` has it.
    var conditionValue: String {
        switch self {
        case .version2: "AWS"
        case .version4: "AWS4-HMAC-SHA256"
        }
    }
}
