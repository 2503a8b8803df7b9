package import Primitives

/// AWS Signature Version 4 as S3 reads it from a request.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>
package enum SignatureV4Request {
    static let algorithm = "AWS4-HMAC-SHA256"
    static let asymmetricAlgorithm = "AWS4-ECDSA-P256-SHA256"
    static let securityTokenHeader = "x-amz-security-token"

    /// Reads what a request claims about its signer, in the `Authorization` header or in the query; nil for an
    /// anonymous one, an empty `Authorization` included.
    ///
    /// - Throws: `InvalidArgument` for two claims at once, `InvalidRequest` for signature version 2, `NotImplemented`
    ///   for SigV4A, `AuthorizationHeaderMalformed` and `AuthorizationQueryParametersError` for malformed claims,
    ///   `AccessDenied` for an absent or malformed date, `InvalidURI` for a query that does not decode.
    package static func parse(head: RequestHead) throws(SigningError) -> PresentedSignature? {
        let query = try QueryItem.parse(head.rawQuery)
        let isPresigned = query.contains { item in PresignedQuery.markers.contains { item.isNamed($0) } }
        let isVersion2 = query.contains { $0.isNamed("AWSAccessKeyId") || $0.isNamed("Signature") }
        guard head.fields.values("authorization").count <= 1 else { throw .severalMechanisms }
        if let authorization = head.fields["authorization"], !authorization.isEmpty {
            if isPresigned || isVersion2 { throw .severalMechanisms }
            return try AuthorizationHeader(authorization).presented(head: head)
        }
        if isPresigned && isVersion2 { throw .severalMechanisms }
        if isVersion2 { throw .unsupportedMechanism }
        return isPresigned ? try PresignedQuery(query).presented(head: head) : nil
    }

    /// The one value of a header.
    ///
    /// - Throws: `InvalidArgument` where it is given more than once, since then the signature covers other bytes than
    ///   the first value's.
    static func single(_ name: String, in head: RequestHead) throws(SigningError) -> String? {
        let values = head.fields.values(name)
        guard values.count <= 1 else { throw .repeated(name) }
        return values.first
    }
}
