import Primitives

/// The parameters of a presigned URL.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>
struct PresignedQuery {
    static let signature = "X-Amz-Signature"
    /// Any of these makes a request a presigned one, so that none is half signed and taken for anonymous.
    static let markers = ["X-Amz-Algorithm", "X-Amz-Credential", signature]
    /// Seven days, in seconds.
    static let longestExpiry: Int64 = 604_800

    private let query: [QueryParameter]

    init(_ query: [QueryParameter]) {
        self.query = query
    }

    /// What the request claims.
    ///
    /// - Throws: `AuthorizationQueryParametersError`, what `PayloadMode` throws, and `InvalidArgument` for parameters
    ///   that cannot act as header fields.
    func presented(head: RequestHead) throws(SigningError) -> PresentedSignature {
        guard let algorithm = try query.single("X-Amz-Algorithm"),
            let credentialText = try query.single("X-Amz-Credential"), let dateText = try query.single("X-Amz-Date"),
            let expiresText = try query.single("X-Amz-Expires"),
            let signedHeaders = try query.single("X-Amz-SignedHeaders"),
            let signature = try query.single(Self.signature)
        else {
            throw .queryParameters(
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
                    + "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
        }
        if algorithm == SignatureV4Request.asymmetricAlgorithm {
            throw .notImplemented("SigV4A presigned URLs are not implemented.")
        }
        guard algorithm == SignatureV4Request.algorithm else {
            throw .queryParameters("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"")
        }
        let credential = try Self.credential(credentialText)
        guard let date = Timestamp(iso8601Basic: dateText) else {
            throw .queryParameters("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
        }
        guard let names = PresentedSignature.signedHeaders(signedHeaders) else {
            throw .queryParameters("X-Amz-SignedHeaders must be sorted lower-case header names")
        }
        guard PresentedSignature.isSignature(signature) else {
            throw .queryParameters("X-Amz-Signature must be 64 lower-case hexadecimal digits")
        }
        return PresentedSignature(
            carrier: .query, accessKeyID: credential.accessKeyID, scope: credential.scope, signedHeaders: names,
            signature: signature, date: date, expires: try Self.expires(expiresText),
            securityToken: try query.single("X-Amz-Security-Token"), payload: try payload(head: head),
            hoisted: try HoistedParameters.ofVersion4(query, head: head))
    }

    private static func credential(_ text: String) throws(SigningError) -> Credential {
        let prefix = "Error parsing the X-Amz-Credential parameter; "
        guard let credential = Credential(text) else {
            throw .queryParameters(prefix + "the Credential is mal-formed; expecting \"\(Credential.form)\".")
        }
        if let problem = credential.terminatorProblem { throw .queryParameters(prefix + problem) }
        return credential
    }

    private static func expires(_ text: String) throws(SigningError) -> Int64 {
        guard text.utf8.count <= 18, let seconds = Int64(text) else {
            throw .queryParameters("X-Amz-Expires should be a number")
        }
        guard seconds >= 0 else { throw .queryParameters("X-Amz-Expires must be non-negative") }
        guard seconds > 0 else { throw .queryParameters("X-Amz-Expires must be at least 1 second") }
        guard seconds <= longestExpiry else {
            throw .queryParameters(
                "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less "
                    + "than 604800 seconds")
        }
        return seconds
    }

    /// What stands in the header or in the query, which must not differ.
    private func payload(head: RequestHead) throws(SigningError) -> PayloadMode? {
        let inHeader = try SignatureV4Request.single(PayloadMode.headerName, in: head)
        let inQuery = try query.single("X-Amz-Content-Sha256")
        if let inHeader, let inQuery, !inHeader.utf8.elementsEqual(inQuery.utf8) {
            throw .queryParameters("X-Amz-Content-Sha256 differs from the header x-amz-content-sha256")
        }
        guard let text = inHeader ?? inQuery else { return nil }
        return try PayloadMode(headerValue: text)
    }
}
