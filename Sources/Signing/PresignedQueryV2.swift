import Primitives

/// The parameters of a URL that signature version 2 signed.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html>
struct PresignedQueryV2 {
    private static let accessKeyID = "AWSAccessKeyId"
    private static let signature = "Signature"
    private static let expires = "Expires"
    /// Any of these makes a request a signed one. `Expires` alone says nothing.
    static let markers = [accessKeyID, signature]

    private let query: [QueryParameter]

    init(_ query: [QueryParameter]) {
        self.query = query
    }

    /// What the request claims.
    ///
    /// - Throws: `AccessDenied` where one of the three parameters is missing, malformed or there twice;
    ///   `InvalidArgument` as for the header fields that the query holds.
    func presented(head: RequestHead) throws(SigningError) -> PresentedSignatureV2 {
        guard let accessKeyID = single(Self.accessKeyID), PresentedSignatureV2.isAccessKeyID(accessKeyID),
            let expiresText = single(Self.expires), let signature = single(Self.signature)
        else {
            throw .accessDenied(
                "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")
        }
        guard let expires = Self.seconds(expiresText) else {
            throw .accessDenied("Invalid date (should be seconds since epoch): \(expiresText)")
        }
        let hoisted = try HoistedParameters.ofVersion2(query, head: head)
        return PresentedSignatureV2(
            carrier: .query, accessKeyID: accessKeyID, signature: signature, validity: .until(expires),
            dateLine: expiresText,
            securityToken: try SignatureV4Request.single(
                SignatureV4Request.securityTokenHeader, in: head.hoisting(hoisted)),
            hoisted: hoisted)
    }

    /// The one value under a name, as text; nil where there is none, more than one, or no text.
    private func single(_ name: String) -> String? {
        let matches = query.filter { $0.isNamed(name) }
        guard matches.count == 1, let item = matches.first else { return nil }
        return String(validating: item.value, as: UTF8.self)
    }

    /// Digits alone, and so few of them that the number can be counted with.
    private static func seconds(_ text: String) -> Int64? {
        guard (1...12).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int64(text)
    }
}
