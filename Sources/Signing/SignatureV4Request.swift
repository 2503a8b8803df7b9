import Primitives

/// AWS Signature Version 4 as S3 reads it from a request.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>
package enum SignatureV4Request {
    static let algorithm = "AWS4-HMAC-SHA256"
    static let asymmetricAlgorithm = "AWS4-ECDSA-P256-SHA256"
    static let securityTokenHeader = "x-amz-security-token"

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
