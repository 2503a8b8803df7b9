import Cryptography
package import Primitives

extension SignatureV4Request {
    /// How far a request's time may be from ours, in seconds.
    package static let allowedSkew: Int64 = 900

    /// Verifies a claim with the secret of its access key, and returns the derived key, which also verifies chunks.
    ///
    /// - Throws: what the other `verify` throws.
    @discardableResult
    package static func verify(
        _ presented: PresentedSignature, head: RequestHead, secretKey: SecretKey, now: Timestamp, region: String,
        service: String = "s3", bodySHA256: [UInt8]? = nil
    ) throws(SigningError) -> SigningKey {
        // The scope is checked before a key is derived for it.
        try checkScope(presented, region: region, service: service)
        let key = SigningKey(secret: secretKey, scope: presented.scope)
        try verify(
            presented, head: head, signingKey: key, now: now, region: region, service: service, bodySHA256: bodySHA256)
        return key
    }

    /// Verifies a claim: its scope, its time, that it covers what it must, and the signature itself.
    ///
    /// - Parameters:
    ///   - signingKey: derived from the secret of the claim's access key for the claim's scope.
    ///   - now: the time of the request's arrival.
    ///   - bodySHA256: the hash of the body, for a service that signs it without saying so in a header (STS). S3 does
    ///     not.
    /// - Throws: `AuthorizationHeaderMalformed` or `AuthorizationQueryParametersError` for another region, service or
    ///   day; `RequestTimeTooSkewed`; `AccessDenied` for an expired URL and for headers that ought to be signed;
    ///   `InvalidRequest` without `x-amz-content-sha256`; `SignatureDoesNotMatch`.
    package static func verify(
        _ presented: PresentedSignature, head: RequestHead, signingKey: SigningKey, now: Timestamp, region: String,
        service: String = "s3", bodySHA256: [UInt8]? = nil
    ) throws(SigningError) {
        try checkScope(presented, region: region, service: service)
        try checkTime(presented, now: now)
        try checkSignedHeaders(presented, head: head)
        let unsaid = presented.carrier == .query ? PayloadMode.unsigned.headerValue : nil
        guard let payload = presented.payload?.headerValue ?? bodySHA256.map(Hex.encode) ?? unsaid else {
            throw .invalidRequest("Missing required header for this request: x-amz-content-sha256")
        }
        let canonical = try CanonicalRequest(head: head, signedHeaders: presented.signedHeaders, payload: payload)
        let stringToSign = canonical.stringToSign(date: presented.date, scope: presented.scope)
        guard signingKey.scope == presented.scope, signingKey.verifies(presented.signature, of: stringToSign)
        else {
            throw .mismatch(
                presented, stringToSign: String(decoding: stringToSign, as: UTF8.self), canonical: canonical)
        }
    }

    private static func checkScope(
        _ presented: PresentedSignature, region: String, service: String
    ) throws(SigningError) {
        func refusal(_ message: String, _ elements: [SigningError.Element] = []) -> SigningError {
            switch presented.carrier {
            case .header: .headerMalformed(message, elements)
            case .query: .queryParameters("Error parsing the X-Amz-Credential parameter; \(message)", elements)
            }
        }
        let scope = presented.scope
        guard scope.service == service else {
            throw refusal("incorrect service \"\(scope.service)\". This endpoint belongs to \"\(service)\".")
        }
        guard scope.region == region else {
            throw refusal(
                "the region '\(scope.region)' is wrong; expecting '\(region)'",
                [SigningError.Element("Region", region)])
        }
        guard scope.date == presented.date.basicDate else {
            throw refusal(
                "Invalid credential date \"\(scope.date)\". This date is not the same as X-Amz-Date: "
                    + "\"\(presented.date.basicDate)\".")
        }
    }

    /// Compares in whole seconds, since the distance of two far dates may exceed what nanoseconds can count.
    private static func checkTime(_ presented: PresentedSignature, now: Timestamp) throws(SigningError) {
        let (date, current) = (presented.date.seconds, now.seconds)
        guard let expires = presented.expires else {
            guard abs(current - date) <= allowedSkew else {
                throw .skewed(requestTime: presented.date.iso8601Basic, now: now)
            }
            return
        }
        guard date - current <= allowedSkew else {
            throw .accessDenied(
                "Request is not valid yet",
                [.init("X-Amz-Date", presented.date.iso8601Basic), .init("ServerTime", now.iso8601)])
        }
        guard current <= date + expires else {
            throw .accessDenied(
                "Request has expired",
                [
                    .init("X-Amz-Expires", String(expires)),
                    .init("Expires", Timestamp(seconds: date + expires).iso8601), .init("ServerTime", now.iso8601),
                ])
        }
    }

    /// `host` and every `x-amz-*` header must be signed, and every signed header must be there (CVE-2026-54330: a
    /// header that the signer did not see must have no effect).
    private static func checkSignedHeaders(
        _ presented: PresentedSignature, head: RequestHead
    ) throws(SigningError) {
        // At most 128, and seldom more than a handful.
        let signed = presented.signedHeaders
        var unsigned: [String] = signed.contains("host") ? [] : ["host"]
        for field in head.fields.fields where field.name.utf8.starts(with: "x-amz-".utf8) {
            if !signed.contains(field.name), !unsigned.contains(field.name) { unsigned.append(field.name) }
        }
        guard unsigned.isEmpty else {
            throw .accessDenied(
                "There were headers present in the request which were not signed",
                [.init("HeadersNotSigned", unsigned.joined(separator: ", "))])
        }
        for name in presented.signedHeaders where !head.fields.contains(name) {
            throw SigningError(
                "SignatureDoesNotMatch", 403, "The signed header \(name) is not present in the request.",
                [.init("AWSAccessKeyId", presented.accessKeyID)])
        }
    }
}

extension SigningError {
    /// Shows what we signed, so that a client's author can compare, but not with what result.
    fileprivate static func mismatch(
        _ presented: PresentedSignature, stringToSign: String, canonical: CanonicalRequest
    ) -> SigningError {
        SigningError(
            "SignatureDoesNotMatch", 403, doesNotMatch,
            [
                .init("AWSAccessKeyId", presented.accessKeyID), .init("StringToSign", stringToSign),
                .init("SignatureProvided", presented.signature), .init("StringToSignBytes", spaced(stringToSign.utf8)),
                .init("CanonicalRequest", String(decoding: canonical.bytes, as: UTF8.self)),
                .init("CanonicalRequestBytes", spaced(canonical.bytes)),
            ])
    }
}
