import Primitives

/// An `Authorization` header of signature version 2: `AWS AccessKeyId:Signature`.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html>
struct AuthorizationHeaderV2 {
    private let accessKeyID: String
    private let signature: String

    /// Whether the header is of this scheme, well formed or not.
    static func isScheme(of text: String) -> Bool {
        text.utf8.prefix { $0 != 0x20 }.elementsEqual("AWS".utf8)
    }

    /// - Throws: `InvalidArgument`.
    init(_ text: String) throws(SigningError) {
        let parts = text.utf8.dropFirst("AWS ".utf8.count)
            .split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
        guard parts.count == 2, PresentedSignatureV2.isAccessKeyID(parts[0]), !parts[1].isEmpty else {
            throw .invalidArgument(
                "AWS authorization header is invalid. Expected AwsAccessKeyId:signature", name: "Authorization")
        }
        (accessKeyID, signature) = (parts[0], parts[1])
    }

    /// What the request claims, with the headers that belong to it.
    ///
    /// - Throws: `AccessDenied` for an absent or malformed date, `InvalidArgument` for a header that comes twice.
    func presented(head: RequestHead, query: [QueryParameter]) throws(SigningError) -> PresentedSignatureV2 {
        let hoisted = try HoistedParameters.ofVersion2(query, head: head)
        let head = head.hoisting(hoisted)
        let alternative = try SignatureV4Request.single("x-amz-date", in: head)
        let header = try SignatureV4Request.single("date", in: head)
        // An x-amz-date that cannot be read is not made good by a Date: it is the one that counts.
        guard let text = alternative ?? header, let date = SignatureV2Date.parse(text) else {
            throw .accessDenied("AWS authentication requires a valid Date or x-amz-date header")
        }
        return PresentedSignatureV2(
            carrier: .header, accessKeyID: accessKeyID, signature: signature, validity: .around(date, text: text),
            dateLine: alternative == nil ? text : "",
            securityToken: try SignatureV4Request.single(SignatureV4Request.securityTokenHeader, in: head),
            hoisted: hoisted)
    }
}
