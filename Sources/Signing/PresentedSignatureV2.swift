package import Primitives

/// What a request of signature version 2 claims. Nothing of it is verified yet.
package struct PresentedSignatureV2: Sendable, Hashable {
    /// When the claim counts.
    package enum Validity: Sendable, Hashable {
        /// Around the time that the request says it was signed at. The text is the header's.
        case around(Timestamp, text: String)
        /// Until so many seconds after 1970, from whenever: a query says not when it was signed.
        case until(Int64)
    }

    package let carrier: PresentedSignature.Carrier
    /// At most 128 bytes of printable ASCII.
    package let accessKeyID: String
    /// As it came. Only one text is right, so that it is not decoded.
    package let signature: String
    package let validity: Validity
    /// The line of what is signed that holds the time: the `Date` header, nothing beside an `x-amz-date` (which is
    /// among the signed headers), or a query's `Expires`.
    package let dateLine: String
    package let securityToken: String?
    /// The parameters of the query whose names begin with `x-amz-`. Version 2 signs them as header fields, and so they
    /// act as header fields.
    package let hoisted: HeaderFields
}

extension PresentedSignatureV2 {
    /// Whether the text can be the id of an access key.
    static func isAccessKeyID(_ text: some StringProtocol) -> Bool {
        (1...Credential.maximumIDLength).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
