import Cryptography
package import Primitives

/// Who may post a form, and whether it is the form that was allowed.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html>, and for version 2
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingHTTPPOST.html>
package enum PostPolicy {
    /// For how long after `x-amz-date` a signature of a form counts, in seconds: as long as a signing key does.
    static let longestValidity: Int64 = 604_800

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
        guard try isSigned(presented, secretKey: secretKey, region: region) else {
            throw SigningError(
                "SignatureDoesNotMatch", 403, SigningError.doesNotMatch,
                [
                    .init("AWSAccessKeyId", presented.accessKeyID), .init("StringToSign", presented.policy),
                    .init("SignatureProvided", presented.signature),
                ])
        }
        guard let bytes = Base64.decode(presented.policy) else { throw .invalidPolicy("Invalid Base64.") }
        let document = try PostPolicyDocument(bytes)
        guard isFresh(presented, now: now), now <= document.expiration else { throw .policyDenied("Policy expired.") }
        return try check(form, bucket: bucket, document: document)
    }

    /// Whether the signature is the one of this secret.
    private static func isSigned(
        _ presented: Presented, secretKey: SecretKey, region: String
    ) throws(SigningError) -> Bool {
        let policy = Array(presented.policy.utf8)
        switch presented.claim {
        case .version2:
            let signature = SignatureV2Request.signature(of: policy, secretKey)
            return constantTimeEqual(Array(presented.signature.utf8), Array(signature.utf8))
        case .version4(let scope, let date):
            guard scope.region == region, scope.service == "s3" else {
                throw SigningError(
                    "InvalidArgument", 400,
                    "Error parsing the X-Amz-Credential parameter; the region '\(scope.region)' is wrong; expecting "
                        + "'\(region)'", [.init("Region", region)])
            }
            guard scope.date == date.basicDate else {
                throw .invalidArgument(
                    "Invalid credential date. This date is not the same as X-Amz-Date.", name: "X-Amz-Credential")
            }
            return SigningKey(secret: secretKey, scope: scope).verifies(presented.signature, of: policy)
        }
    }

    /// Whether the signature is of the time in which its key counts. One of version 2 has no time of its own: it counts
    /// for as long as its policy.
    private static func isFresh(_ presented: Presented, now: Timestamp) -> Bool {
        guard case .version4(_, let date) = presented.claim else { return true }
        return (-SignatureV4Request.allowedSkew...longestValidity).contains(now.seconds - date.seconds)
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
    fileprivate static func policyDenied(_ reason: String) -> SigningError {
        .accessDenied("Invalid according to Policy: \(reason)")
    }

    fileprivate static func conditionFailed(_ operation: String, _ field: String, _ value: String) -> SigningError {
        .policyDenied("Policy Condition failed: [\"\(operation)\", \"$\(field)\", \"\(value)\"]")
    }
}
