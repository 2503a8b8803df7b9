import Cryptography
package import Primitives

/// AWS Signature Version 2 as S3 reads it from a request.
///
/// It signs less than version 4: neither the payload nor the host, and of the query the sub-resources alone.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html>
package enum SignatureV2Request {
    /// Whether the signature covers a parameter of the query of this name.
    package static func signsParameter(_ name: String) -> Bool { CanonicalizedResource.isSigned(name) }

    /// Verifies a claim: its time, and the signature itself.
    ///
    /// - Parameters:
    ///   - bucketOfHost: the bucket that the host names; nil where the path does.
    ///   - secretKey: of the claim's access key.
    ///   - now: the time of the request's arrival.
    /// - Throws: `RequestTimeTooSkewed`; `AccessDenied` for an expired URL and for an ambiguous query;
    ///   `InvalidArgument` for a header that comes twice; `InvalidURI`; `SignatureDoesNotMatch`.
    package static func verify(
        _ presented: PresentedSignatureV2, head: RequestHead, bucketOfHost: String?, secretKey: SecretKey,
        now: Timestamp
    ) throws(SigningError) {
        try checkTime(presented, now: now)
        let text = try StringToSignV2(
            head: head.hoisting(presented.hoisted), dateLine: presented.dateLine, bucketOfHost: bucketOfHost)
        let given = Array(presented.signature.utf8)
        var isRight = false
        // Each spelling is tried in full, whichever is right.
        for spelling in text.spellings where constantTimeEqual(given, Array(signature(of: spelling, secretKey).utf8)) {
            isRight = true
        }
        guard isRight else { throw .mismatch(presented, text.spellings[0]) }
    }

    /// The signature of a text, in base 64.
    package static func signature(of text: [UInt8], _ secretKey: SecretKey) -> String {
        Base64.encode(HMACSHA1.code(key: secretKey.bytes, message: text))
    }

    /// Compares in whole seconds, since the distance of two far dates may exceed what nanoseconds can count.
    private static func checkTime(_ presented: PresentedSignatureV2, now: Timestamp) throws(SigningError) {
        switch presented.validity {
        case .around(let date, let text):
            guard abs(now.seconds - date.seconds) <= SignatureV4Request.allowedSkew else {
                throw .skewed(requestTime: text, now: now)
            }
        case .until(let expiry):
            guard now.seconds <= expiry else {
                throw .accessDenied(
                    "Request has expired",
                    [.init("Expires", Timestamp(seconds: expiry).iso8601), .init("ServerTime", now.iso8601)])
            }
        }
    }
}

extension SigningError {
    /// Shows what we signed, so that a client's author can compare, but not with what result.
    fileprivate static func mismatch(_ presented: PresentedSignatureV2, _ text: [UInt8]) -> SigningError {
        SigningError(
            "SignatureDoesNotMatch", 403, doesNotMatch,
            [
                .init("AWSAccessKeyId", presented.accessKeyID),
                .init("StringToSign", String(decoding: text, as: UTF8.self)),
                .init("SignatureProvided", presented.signature), .init("StringToSignBytes", spaced(text)),
            ])
    }
}
