import Cryptography
import Primitives
import Signing

/// A signer, the time and a request for the tests to spoil.
enum Example {
    static let secret = SecretKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    static let region = "us-east-1"
    static let now = Timestamp(seconds: 1_773_500_966)
    static let signer = Signer(
        credentials: SigningCredentials(accessKeyID: "AKIAIOSFODNN7EXAMPLE", secret: secret), region: region)
    static let emptyHash = PayloadMode.sha256(Digest.hash(.sha256, []))

    static func head(_ method: String = "GET", _ target: String = "/bucket/key", fields: HeaderFields = [:])
        -> RequestHead
    {
        var head = RequestHead(method: method, target: target, fields: ["host": "storage.example.com"])
        for field in fields.fields { head.fields.append(field.name, field.value) }
        return head
    }

    static func signed(
        _ method: String = "GET", _ target: String = "/bucket/key", fields: HeaderFields = [:],
        payload: PayloadMode = emptyHash, at date: Timestamp = now
    ) throws -> RequestHead {
        var head = head(method, target, fields: fields)
        try signer.sign(&head, payload: payload, at: date)
        return head
    }

    static func presigned(
        _ method: String = "GET", _ target: String = "/bucket/key", fields: HeaderFields = [:],
        expires: Int64 = 900, at date: Timestamp = now
    ) throws -> RequestHead {
        var head = head(method, target, fields: fields)
        try signer.presign(&head, at: date, expires: expires)
        return head
    }

    struct Anonymous: Error {}

    /// The claim of version 4 that a request makes, where no other is allowed.
    static func presented(_ head: RequestHead) throws(SigningError) -> PresentedSignature? {
        guard case .version4(let presented) = try RequestSignature.parse(head: head, allowsVersion2: false) else {
            return nil
        }
        return presented
    }

    /// Parses and verifies as a server does.
    @discardableResult
    static func verify(
        _ head: RequestHead, secret: SecretKey = secret, now: Timestamp = now, region: String = region
    ) throws -> SigningKey {
        guard let presented = try presented(head) else { throw Anonymous() }
        return try SignatureV4Request.verify(presented, head: head, secretKey: secret, now: now, region: region)
    }

    /// The S3 error code that verifying ends with, or nil where it succeeds.
    static func refusal(
        _ head: RequestHead, secret: SecretKey = secret, now: Timestamp = now, region: String = region
    ) -> String? {
        do {
            try verify(head, secret: secret, now: now, region: region)
            return nil
        } catch let error as SigningError {
            return error.code
        } catch {
            return "\(error)"
        }
    }
}
