import Policy
package import Primitives
package import Signing

/// Finds out who sent a request. It decides nothing about what they may do.
package struct Authenticator: Sendable {
    private let credentials: any CredentialStore
    private let region: String
    private let signingKeys = SigningKeyCache()

    /// - Parameter region: the region that signatures must be for.
    package init(credentials: any CredentialStore, region: String) {
        (self.credentials, self.region) = (credentials, region)
    }

    /// Verifies the signature of a request by its head alone. A request that says nothing of a signature is anonymous.
    ///
    /// - Throws: `SigningError`: what parsing and verifying throw, `InvalidAccessKeyId` for an unknown key,
    ///   `InvalidToken` for a session token that no key here has.
    package func authenticate(
        _ head: RequestHead, at now: Timestamp
    ) throws(SigningError) -> AuthenticatedRequest {
        guard let presented = try SignatureV4Request.parse(head: head) else {
            let payload = try PayloadVerification(head: head, presented: nil, signingKey: nil)
            return AuthenticatedRequest(principal: .anonymous, accessKey: nil, presented: nil, payload: payload)
        }
        let key = try accessKey(presented.accessKeyID, token: presented.securityToken)
        let signingKey: SigningKey
        if let known = signingKeys.key(for: key, presented.scope) {
            try SignatureV4Request.verify(presented, head: head, signingKey: known, now: now, region: region)
            signingKey = known
        } else {
            signingKey = try SignatureV4Request.verify(
                presented, head: head, secretKey: key.secret, now: now, region: region)
            signingKeys.remember(signingKey, for: key)
        }
        let payload = try PayloadVerification(head: head, presented: presented, signingKey: signingKey)
        return AuthenticatedRequest(
            principal: key.principal, accessKey: key, presented: presented, payload: payload)
    }

    /// Verifies a form and holds it against its policy. A form without a policy is anonymous.
    ///
    /// - Parameter bucket: from the URL.
    /// - Throws: `SigningError`: what `PostPolicy` throws, `InvalidAccessKeyId`, `InvalidToken`.
    package func authenticate(
        _ form: PostForm, bucket: String, at now: Timestamp
    ) throws(SigningError) -> AuthenticatedForm {
        guard let presented = try PostPolicy.parse(form) else {
            return AuthenticatedForm(
                principal: .anonymous, accessKey: nil, contentLength: 0...PayloadVerification.maximumLength)
        }
        let key = try accessKey(presented.accessKeyID, token: presented.securityToken)
        let length = try PostPolicy.evaluate(
            presented, form: form, bucket: bucket, secretKey: key.secret, now: now, region: region)
        return AuthenticatedForm(principal: key.principal, accessKey: key, contentLength: length)
    }

    private func accessKey(_ id: String, token: String?) throws(SigningError) -> AccessKey {
        guard let key = credentials.accessKey(id) else {
            throw SigningError(
                "InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records.",
                [SigningError.Element("AWSAccessKeyId", id)])
        }
        guard token == nil else {
            throw SigningError("InvalidToken", 400, "The provided token is malformed or otherwise invalid.")
        }
        return key
    }
}
