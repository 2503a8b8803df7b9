import Primitives

/// The three components of an `Authorization` header of signature version 4.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html>
struct AuthorizationHeader {
    private let credential: Substring.UTF8View
    private let signedHeaders: Substring.UTF8View
    private let signature: Substring.UTF8View

    /// - Throws: `AuthorizationHeaderMalformed`, `NotImplemented` for SigV4A, `InvalidArgument` for any other scheme.
    init(_ text: String) throws(SigningError) {
        let whole = text[...].utf8
        let space = whole.firstIndex(of: 0x20) ?? whole.endIndex
        let rest = whole[space...]
        switch text[..<space] {
        case SignatureV4Request.algorithm[...]: break
        case SignatureV4Request.asymmetricAlgorithm[...]:
            throw .notImplemented("A header you provided implies functionality that is not implemented.")
        default: throw .invalidArgument("Unsupported Authorization Type", name: "Authorization")
        }
        let credential = Self.component("Credential=", of: rest)
        let signedHeaders = Self.component("SignedHeaders=", of: rest)
        let signature = Self.component("Signature=", of: rest)
        let commas = rest.count(where: { $0 == UInt8(ascii: ",") })
        guard let credential, let signedHeaders, let signature, commas == 2 else {
            throw .headerMalformed(
                "the authorization header requires three components: Credential, SignedHeaders, and Signature.")
        }
        (self.credential, self.signedHeaders, self.signature) = (credential, signedHeaders, signature)
    }

    /// The value of the one component that begins so; nil where there is none, or more than one.
    private static func component(_ prefix: String, of text: Substring.UTF8View) -> Substring.UTF8View? {
        var found: Substring.UTF8View?
        for piece in text.split(separator: UInt8(ascii: ","), maxSplits: 8) {
            let trimmed = piece.drop(while: { $0 == 0x20 || $0 == 0x09 })
            guard trimmed.starts(with: prefix.utf8) else { continue }
            guard found == nil else { return nil }
            found = trimmed.dropFirst(prefix.utf8.count)
        }
        guard var value = found else { return nil }
        while value.last == 0x20 || value.last == 0x09 { value.removeLast() }
        return value
    }

    /// What the request claims, with the headers that belong to it.
    ///
    /// - Throws: `AuthorizationHeaderMalformed`, `AccessDenied` for an absent or malformed date, and what `PayloadMode`
    ///   throws.
    func presented(head: RequestHead) throws(SigningError) -> PresentedSignature {
        guard let credential = Credential(Substring(credential)) else {
            throw .headerMalformed("the Credential is mal-formed; expecting \"\(Credential.form)\".")
        }
        if let problem = credential.terminatorProblem { throw .headerMalformed(problem) }
        guard let names = PresentedSignature.signedHeaders(Substring(signedHeaders)) else {
            throw .headerMalformed("the SignedHeaders are mal-formed; expecting sorted lower-case header names.")
        }
        guard PresentedSignature.isSignature(Substring(signature)) else {
            throw .headerMalformed("the Signature is mal-formed; expecting 64 lower-case hexadecimal digits.")
        }
        var payload: PayloadMode?
        if let value = try SignatureV4Request.single(PayloadMode.headerName, in: head) {
            payload = try PayloadMode(headerValue: value)
        }
        return PresentedSignature(
            carrier: .header, accessKeyID: credential.accessKeyID, scope: credential.scope, signedHeaders: names,
            signature: String(Substring(signature)), date: try Self.date(of: head), expires: nil,
            securityToken: try SignatureV4Request.single(SignatureV4Request.securityTokenHeader, in: head),
            payload: payload, hoisted: HeaderFields())
    }

    /// `x-amz-date`, or `Date` where there is none.
    private static func date(of head: RequestHead) throws(SigningError) -> Timestamp {
        let text = try SignatureV4Request.single("x-amz-date", in: head)
        if let text, let date = Timestamp(iso8601Basic: text) { return date }
        if text == nil, let text = try SignatureV4Request.single("date", in: head),
            let date = Timestamp(iso8601Basic: text) ?? Timestamp(httpDate: text)
        {
            return date
        }
        throw .accessDenied("AWS authentication requires a valid Date or x-amz-date header")
    }
}
