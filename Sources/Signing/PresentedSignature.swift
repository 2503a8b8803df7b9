package import Primitives

/// What a request claims: whose key signed it, for which scope, over which headers. Nothing of it is verified yet.
package struct PresentedSignature: Sendable, Hashable {
    /// Where the claim stood.
    package enum Carrier: Sendable, Hashable {
        /// In the `Authorization` header.
        case header
        /// In the query: a presigned URL.
        case query
    }

    package let carrier: Carrier
    /// At most 128 bytes of printable ASCII.
    package let accessKeyID: String
    package let scope: CredentialScope
    /// Lower-case names, strictly ascending, at most 128 of them.
    package let signedHeaders: [String]
    /// 64 lower-case hexadecimal digits. It seeds the signatures of chunks.
    package let signature: String
    /// When the request says that it was signed.
    package let date: Timestamp
    /// For how many seconds from `date` a presigned URL counts, 1 to 604,800; nil in a header.
    package let expires: Int64?
    package let securityToken: String?
    /// What is said of the payload. Where nothing is said, S3 refuses a header-signed request and takes a presigned
    /// one for `unsigned`.
    package let payload: PayloadMode?
    /// The parameters of a presigned URL that act as header fields; none where a header carries the signature.
    package let hoisted: HeaderFields
}

extension PresentedSignature {
    /// Reads the list of `SignedHeaders`: names separated by semicolons. Nil for an empty, upper-case, repeated or
    /// unsorted one, so that one set of headers has one text.
    static func signedHeaders(_ text: some StringProtocol) -> [String]? {
        let bytes = Array(text.utf8)
        var (names, before, start): ([String], ArraySlice<UInt8>, Int) = ([], [], 0)
        while start <= bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: ";")) ?? bytes.count
            let name = bytes[start..<end]
            guard names.count < 128, !name.isEmpty, name.allSatisfy(isLowerCaseToken),
                before.lexicographicallyPrecedes(name)
            else { return nil }
            names.append(String(decoding: name, as: UTF8.self))
            (before, start) = (name, end + 1)
        }
        return names
    }

    static func isLowerCaseToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    /// Whether the text has the form of a signature.
    static func isSignature(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
