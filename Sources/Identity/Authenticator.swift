import Policy
package import Primitives
package import Signing

/// Finds out who sent a request. It decides nothing about what they may do.
package struct Authenticator: Sendable {
    private let credentials: any CredentialStore
    private let region: String
    private let service: String
    private let allowsSignatureV2: Bool
    private let signingKeys = SigningKeyCache()

    /// - Parameters:
    ///   - region: the region that signatures must be for. Those of version 2 are for none.
    ///   - service: the service that signatures must be for.
    ///   - allowsSignatureV2: whether signatures of version 2 are verified or refused.
    package init(
        credentials: any CredentialStore, region: String, service: String = "s3", allowsSignatureV2: Bool = true
    ) {
        (self.credentials, self.region, self.service) = (credentials, region, service)
        self.allowsSignatureV2 = allowsSignatureV2
    }

    /// Verifies the signature of a request by its head alone. A request that says nothing of a signature is anonymous.
    ///
    /// - Parameter bucketOfHost: the bucket that the host names; nil where the path does. Version 2 signs it.
    /// - Throws: `SigningError`: what parsing and verifying throw, `InvalidAccessKeyId` for an unknown key,
    ///   `InvalidToken` for a session token that no key here has.
    package func authenticate(
        _ head: RequestHead, bucketOfHost: String?, at now: Timestamp
    ) throws(SigningError) -> AuthenticatedRequest {
        switch try RequestSignature.parse(head: head, allowsVersion2: allowsSignatureV2) {
        case .version4(let presented): return try authenticate(head, presented, at: now)
        case .version2(let presented):
            let key = try accessKey(presented.accessKeyID, token: presented.securityToken)
            try SignatureV2Request.verify(
                presented, head: head, bucketOfHost: bucketOfHost, secretKey: key.secret, now: now)
            // Version 2 covers no payload: only what the request says of it itself is checked, and chunks that claim
            // to be signed have no signer.
            let payload = try PayloadVerification(
                head: head.hoisting(presented.hoisted), presented: nil, signingKey: nil)
            return AuthenticatedRequest(
                principal: key.principal, accessKey: key, presented: .version2(presented), payload: payload)
        case nil:
            let payload = try PayloadVerification(head: head, presented: nil, signingKey: nil)
            return AuthenticatedRequest(principal: .anonymous, accessKey: nil, presented: nil, payload: payload)
        }
    }

    private func authenticate(
        _ head: RequestHead, _ presented: PresentedSignature, at now: Timestamp
    ) throws(SigningError) -> AuthenticatedRequest {
        let key = try accessKey(presented.accessKeyID, token: presented.securityToken)
        let signingKey: SigningKey
        if let known = signingKeys.key(for: key, presented.scope) {
            try SignatureV4Request.verify(
                presented, head: head, signingKey: known, now: now, region: region, service: service)
            signingKey = known
        } else {
            signingKey = try SignatureV4Request.verify(
                presented, head: head, secretKey: key.secret, now: now, region: region, service: service)
            signingKeys.remember(signingKey, for: key)
        }
        let payload = try PayloadVerification(
            head: head.hoisting(presented.hoisted), presented: presented, signingKey: signingKey)
        return AuthenticatedRequest(
            principal: key.principal, accessKey: key, presented: .version4(presented), payload: payload)
    }

    /// Verifies a form and holds it against its policy. A form without a policy is anonymous.
    ///
    /// - Parameter bucket: from the URL.
    /// - Throws: `SigningError`: what `PostPolicy` throws, `InvalidAccessKeyId`, `InvalidToken`.
    package func authenticate(
        _ form: PostForm, bucket: String, at now: Timestamp
    ) throws(SigningError) -> AuthenticatedForm {
        guard let presented = try PostPolicy.parse(form, allowsVersion2: allowsSignatureV2) else {
            return AuthenticatedForm(
                principal: .anonymous, accessKey: nil, signatureVersion: nil, signedAt: nil,
                contentLength: 0...PayloadVerification.maximumLength)
        }
        let key = try accessKey(presented.accessKeyID, token: presented.securityToken)
        let length = try PostPolicy.evaluate(
            presented, form: form, bucket: bucket, secretKey: key.secret, now: now, region: region)
        return AuthenticatedForm(
            principal: key.principal, accessKey: key, signatureVersion: presented.version,
            signedAt: presented.date, contentLength: length)
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
