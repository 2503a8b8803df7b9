package import Policy
package import Primitives
package import Signing

/// Who sent a request, verified, and how its payload is to be read.
package struct AuthenticatedRequest: Sendable {
    package let principal: Principal
    /// The key that signed it; nil for an anonymous request.
    package let accessKey: AccessKey?
    /// What the signature covered; nil for an anonymous request and for a form, whose policy is signed instead.
    package let presented: RequestSignature?
    /// The checks that go around the body.
    package let payload: PayloadVerification

    /// Parameters of the query that act as header fields, since they were signed as such.
    package var hoisted: HeaderFields { presented?.hoisted ?? HeaderFields() }
}

/// Who sent a form, verified, and what its policy allows.
package struct AuthenticatedForm: Sendable {
    package let principal: Principal
    /// The key that signed its policy; nil for an anonymous form.
    package let accessKey: AccessKey?
    /// The version of the signature of its policy; nil for an anonymous form.
    package let signatureVersion: SignatureVersion?
    /// When the form says that its policy was signed; nil for version 2, which does not say it.
    package let signedAt: Timestamp?
    /// The bounds of the file's length in bytes.
    package let contentLength: ClosedRange<Int64>
}
