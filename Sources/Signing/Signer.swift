package import Primitives

/// Signs requests with signature version 4, as a client of an S3 service.
package struct Signer: Sendable {
    private let credentials: SigningCredentials
    private let region: String
    private let service: String

    package init(credentials: SigningCredentials, region: String, service: String = "s3") {
        (self.credentials, self.region, self.service) = (credentials, region, service)
    }

    /// Adds `x-amz-date`, `x-amz-content-sha256`, the session token and `authorization`; every header there is by then
    /// is signed, `host` among them.
    ///
    /// - Returns: the chain that signs the chunks of a payload in a framed mode.
    /// - Throws: `InvalidURI` where path or query do not decode.
    @discardableResult
    package func sign(
        _ head: inout RequestHead, payload: PayloadMode, at date: Timestamp
    ) throws(SigningError) -> ChunkSignatures {
        head.fields["authorization"] = nil
        head.fields["x-amz-date"] = date.iso8601Basic
        head.fields[PayloadMode.headerName] = payload.headerValue
        if let token = credentials.sessionToken { head.fields[SignatureV4Request.securityTokenHeader] = token }
        let key = key(at: date)
        let names = Self.signedHeaders(head)
        let canonical = try CanonicalRequest(head: head, signedHeaders: names, payload: payload.headerValue)
        let signature = key.signature(of: canonical.stringToSign(date: date, scope: key.scope))
        head.fields["authorization"] =
            "\(SignatureV4Request.algorithm) Credential=\(credentials.accessKeyID)/\(key.scope), "
            + "SignedHeaders=\(names.joined(separator: ";")), Signature=\(signature)"
        return ChunkSignatures(key: key, date: date, seed: signature)
    }

    /// Adds the parameters of a presigned URL to the target. Every header there is is signed; a plain URL has `host`
    /// alone.
    ///
    /// - Parameter expires: for how many seconds it counts, 1 to 604,800.
    /// - Throws: `InvalidURI` where path or query do not decode.
    package func presign(
        _ head: inout RequestHead, at date: Timestamp, expires: Int64
    ) throws(SigningError) {
        let key = key(at: date)
        let names = Self.signedHeaders(head)
        var parameters = [
            ("X-Amz-Algorithm", SignatureV4Request.algorithm),
            ("X-Amz-Credential", "\(credentials.accessKeyID)/\(key.scope)"), ("X-Amz-Date", date.iso8601Basic),
            ("X-Amz-Expires", String(expires)), ("X-Amz-SignedHeaders", names.joined(separator: ";")),
        ]
        if let token = credentials.sessionToken { parameters.append(("X-Amz-Security-Token", token)) }
        let query = parameters.map { "\($0.0)=\(PercentCoding.encode($0.1.utf8))" }.joined(separator: "&")
        head.target += (head.target.utf8.contains(UInt8(ascii: "?")) ? "&" : "?") + query
        let payload = head.fields[PayloadMode.headerName] ?? PayloadMode.unsigned.headerValue
        let canonical = try CanonicalRequest(head: head, signedHeaders: names, payload: payload)
        let signature = key.signature(of: canonical.stringToSign(date: date, scope: key.scope))
        head.target += "&\(PresignedQuery.signature)=\(signature)"
    }

    /// The key for the day of a time.
    package func key(at date: Timestamp) -> SigningKey {
        let scope = CredentialScope(date: date.basicDate, region: region, service: service)
        return SigningKey(secret: credentials.secret, scope: scope)
    }

    private static func signedHeaders(_ head: RequestHead) -> [String] {
        Set(head.fields.fields.map(\.name)).sorted()
    }
}
