package import Primitives

/// Who may post a form, and whether it is the form that was allowed.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html>
package enum PostPolicy {
    /// What a form claims; not verified yet.
    package struct Presented: Sendable {
        package let accessKeyID: String
        package let scope: CredentialScope
        package let securityToken: String?
        let date: Timestamp
        let signature: String
        /// The document in base 64, which is what is signed.
        let policy: String
    }

    /// For how long after `x-amz-date` a signature of a form counts, in seconds: as long as a signing key does.
    static let longestValidity: Int64 = 604_800

    /// Reads what a form claims about its signer; nil for an anonymous form, which has neither policy nor signature.
    ///
    /// - Throws: `InvalidArgument` where fields are missing or malformed, `InvalidRequest` for signature version 2,
    ///   `NotImplemented` for SigV4A.
    package static func parse(_ form: PostForm) throws(SigningError) -> Presented? {
        let names = ["x-amz-signature", "x-amz-credential", "x-amz-algorithm", "policy", "signature", "awsaccesskeyid"]
        guard names.contains(where: { form.fields.contains($0) }) else { return nil }
        guard let policy = form["policy"] else { throw .missingField("policy") }
        guard let signature = form["x-amz-signature"] else {
            if form["signature"] != nil { throw .unsupportedMechanism }
            throw .missingField("X-Amz-Signature")
        }
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
            accessKeyID: credential.accessKeyID, scope: credential.scope,
            securityToken: form[SignatureV4Request.securityTokenHeader], date: date, signature: signature,
            policy: policy)
    }

    /// Verifies the signature of a form's policy, then holds the form against the policy.
    ///
    /// - Parameters:
    ///   - bucket: from the URL; what the form says is not asked (CVE-2023-43040, CVE-2023-28434).
    ///   - region: ours.
    /// - Returns: the bounds of the file's length, in bytes. The caller checks them, as the length is known last:
    ///   `EntityTooSmall` and `EntityTooLarge` are the answers.
    /// - Throws: `InvalidArgument` for a wrong region or day, `SignatureDoesNotMatch`, `InvalidPolicyDocument`,
    ///   `AccessDenied` where the policy has expired, a condition fails or a field is not covered.
    package static func evaluate(
        _ presented: Presented, form: PostForm, bucket: String, secretKey: SecretKey, now: Timestamp, region: String
    ) throws(SigningError) -> ClosedRange<Int64> {
        let scope = presented.scope
        guard scope.region == region, scope.service == "s3" else {
            throw SigningError(
                "InvalidArgument", 400,
                "Error parsing the X-Amz-Credential parameter; the region '\(scope.region)' is wrong; expecting "
                    + "'\(region)'", [.init("Region", region)])
        }
        guard scope.date == presented.date.basicDate else {
            throw .invalidArgument(
                "Invalid credential date. This date is not the same as X-Amz-Date.", name: "X-Amz-Credential")
        }
        let key = SigningKey(secret: secretKey, scope: scope)
        guard key.verifies(presented.signature, of: presented.policy.utf8) else {
            throw SigningError(
                "SignatureDoesNotMatch", 403,
                "The request signature we calculated does not match the signature you provided. "
                    + "Check your key and signing method.",
                [
                    .init("AWSAccessKeyId", presented.accessKeyID), .init("StringToSign", presented.policy),
                    .init("SignatureProvided", presented.signature),
                ])
        }
        guard let bytes = Base64.decode(presented.policy) else { throw .invalidPolicy("Invalid Base64.") }
        let document = try PostPolicyDocument(bytes)
        let age = now.seconds - presented.date.seconds
        guard age >= -SignatureV4Request.allowedSkew, age <= longestValidity, now <= document.expiration else {
            throw .policyDenied("Policy expired.")
        }
        return try check(form, bucket: bucket, document: document)
    }

    private static func check(
        _ form: PostForm, bucket: String, document: PostPolicyDocument
    ) throws(SigningError) -> ClosedRange<Int64> {
        var fields = form.fields
        if let claimed = fields["bucket"], !claimed.utf8.elementsEqual(bucket.utf8) {
            throw .policyDenied("Policy Condition failed: [\"eq\", \"$bucket\", \"\(bucket)\"]")
        }
        fields["bucket"] = bucket
        var covered: Set<String> = []
        var length: ClosedRange<Int64> = 0...PayloadVerification.maximumLength
        for condition in document.conditions {
            switch condition {
            case .equals(let field, let value):
                covered.insert(field)
                guard let actual = fields[field], actual.utf8.elementsEqual(value.utf8) else {
                    throw .conditionFailed("eq", field, value)
                }
            case .startsWith(let field, let prefix):
                covered.insert(field)
                guard let actual = fields[field], starts(actual, with: prefix, isList: field == "content-type") else {
                    throw .conditionFailed("starts-with", field, prefix)
                }
            case .contentLengthRange(let range):
                guard range.overlaps(length) else {
                    throw .policyDenied("Policy Condition failed: no length is allowed")
                }
                length = range.clamped(to: length)
            }
        }
        let extra = fields.fields.map(\.name).filter { !covered.contains($0) && !isExempt($0) }
        guard extra.isEmpty else { throw .policyDenied("Extra input fields: \(extra.joined(separator: ", "))") }
        return length
    }

    /// A list of content types is held against the prefix one by one.
    private static func starts(_ text: String, with prefix: String, isList: Bool) -> Bool {
        guard isList, text.utf8.contains(UInt8(ascii: ",")) else { return text.utf8.starts(with: prefix.utf8) }
        return text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            .allSatisfy { $0.drop(while: { $0 == 0x20 }).starts(with: prefix.utf8) }
    }

    /// Fields that need no condition.
    private static func isExempt(_ name: String) -> Bool {
        ["x-amz-signature", "file", "policy", "awsaccesskeyid", "signature"].contains(name)
            || name.utf8.starts(with: "x-ignore-".utf8)
    }
}

extension SigningError {
    fileprivate static func missingField(_ name: String) -> SigningError {
        .invalidArgument(
            "Bucket POST must contain a field named '\(name)'.  If it is specified, please check the order of the "
                + "fields.", name: name)
    }

    fileprivate static func policyDenied(_ reason: String) -> SigningError {
        .accessDenied("Invalid according to Policy: \(reason)")
    }

    fileprivate static func conditionFailed(_ operation: String, _ field: String, _ value: String) -> SigningError {
        .policyDenied("Policy Condition failed: [\"\(operation)\", \"$\(field)\", \"\(value)\"]")
    }
}
