package import Primitives

extension PostPolicy {
    /// What a form claims about its signer; not verified yet.
    package struct Presented: Sendable {
        /// What each version of the signature adds to the policy and its signature.
        enum Claim: Sendable {
            case version2
            case version4(CredentialScope, date: Timestamp)
        }

        package let accessKeyID: String
        package let securityToken: String?
        let claim: Claim
        let signature: String
        /// The document in base 64, which is what is signed.
        let policy: String

        package var version: SignatureVersion {
            switch claim {
            case .version2: .version2
            case .version4: .version4
            }
        }

        /// When the form says that it was signed; nil for version 2, which does not say it.
        package var date: Timestamp? {
            if case .version4(_, let date) = claim { date } else { nil }
        }
    }

    private static let version2Fields = ["signature", "awsaccesskeyid"]
    private static let version4Fields = ["x-amz-signature", "x-amz-credential", "x-amz-algorithm"]

    /// Reads what a form claims about its signer; nil for an anonymous form, which has neither policy nor signature.
    ///
    /// - Parameter allowsVersion2: whether a form of signature version 2 is read or refused.
    /// - Throws: `InvalidArgument` where fields are missing or malformed, or of both versions; `InvalidRequest` for
    ///   version 2 where it is not allowed; `NotImplemented` for SigV4A.
    package static func parse(_ form: PostForm, allowsVersion2: Bool) throws(SigningError) -> Presented? {
        let isVersion2 = version2Fields.contains { form.fields.contains($0) }
        let isVersion4 = version4Fields.contains { form.fields.contains($0) }
        // Never is one signature verified where the other would be believed (CVE-2026-41145 is that of requests).
        guard !isVersion2 || !isVersion4 else {
            throw .invalidArgument(
                "Only one auth mechanism allowed; the form has fields of signature versions 2 and 4.",
                name: "X-Amz-Algorithm")
        }
        guard isVersion2 || isVersion4 || form.fields.contains("policy") else { return nil }
        guard let policy = form["policy"] else { throw .missingField("policy") }
        return isVersion2
            ? try version2(form, policy, isAllowed: allowsVersion2) : try version4(form, policy)
    }

    private static func version2(
        _ form: PostForm, _ policy: String, isAllowed: Bool
    ) throws(SigningError) -> Presented {
        guard isAllowed else { throw .unsupportedMechanism }
        guard let signature = form["signature"] else { throw .missingField("Signature") }
        guard let accessKeyID = form["awsaccesskeyid"] else { throw .missingField("AWSAccessKeyId") }
        guard PresentedSignatureV2.isAccessKeyID(accessKeyID) else {
            throw .invalidArgument("AWSAccessKeyId is malformed.", name: "AWSAccessKeyId")
        }
        return Presented(
            accessKeyID: accessKeyID, securityToken: form[SignatureV4Request.securityTokenHeader], claim: .version2,
            signature: signature, policy: policy)
    }

    private static func version4(_ form: PostForm, _ policy: String) throws(SigningError) -> Presented {
        guard let signature = form["x-amz-signature"] else { throw .missingField("X-Amz-Signature") }
        guard let algorithm = form["x-amz-algorithm"] else { throw .missingField("X-Amz-Algorithm") }
        guard let credentialText = form["x-amz-credential"] else { throw .missingField("X-Amz-Credential") }
        guard let dateText = form["x-amz-date"] else { throw .missingField("X-Amz-Date") }
        if algorithm == SignatureV4Request.asymmetricAlgorithm {
            throw .notImplemented("SigV4A forms are not implemented.")
        }
        guard algorithm == SignatureV4Request.algorithm else {
            throw .invalidArgument("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"", name: "X-Amz-Algorithm")
        }
        guard let credential = Credential(credentialText), credential.terminatorProblem == nil else {
            throw .invalidArgument(
                "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "
                    + "\"\(Credential.form)\".", name: "X-Amz-Credential")
        }
        guard let date = Timestamp(iso8601Basic: dateText) else {
            throw .invalidArgument(
                "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"", name: "X-Amz-Date")
        }
        return Presented(
            accessKeyID: credential.accessKeyID, securityToken: form[SignatureV4Request.securityTokenHeader],
            claim: .version4(credential.scope, date: date), signature: signature, policy: policy)
    }
}

extension SigningError {
    fileprivate static func missingField(_ name: String) -> SigningError {
        .invalidArgument(
            "Bucket POST must contain a field named '\(name)'.  If it is specified, please check the order of the "
                + "fields.", name: name)
    }
}
