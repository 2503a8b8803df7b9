import Primitives
import Signing

/// Requests of signature version 2, signed over texts that the tests write out, and verified as a server does.
enum Version2 {
    static let accessKeyID = "AKIAIOSFODNN7EXAMPLE"
    /// A quarter of an hour after `Example.now`, as a query has it.
    static let expires = String(Example.now.seconds + 900)

    static func signature(_ text: String, secret: SecretKey = Example.secret) -> String {
        SignatureV2Request.signature(of: Array(text.utf8), secret)
    }

    /// A request whose header signs the text that its method, date and this rest make.
    ///
    /// - Parameters:
    ///   - rest: what follows the date's line.
    ///   - date: the `Date` header.
    static func signed(
        _ method: String = "GET", _ target: String = "/bucket/key", fields: HeaderFields = [:],
        rest: String = "/bucket/key", date: String = Example.now.httpDate
    ) -> RequestHead {
        var head = Example.head(method, target, fields: fields)
        head.fields["date"] = date
        let lines = [method, fields["content-md5"] ?? "", fields["content-type"] ?? "", date, rest]
        head.fields["authorization"] = "AWS \(accessKeyID):\(signature(lines.joined(separator: "\n")))"
        return head
    }

    /// A request whose query signs the text that its method, its expiry and this rest make.
    static func presigned(
        _ method: String = "GET", _ target: String = "/bucket/key", fields: HeaderFields = [:],
        rest: String = "/bucket/key", expires: String = expires
    ) -> RequestHead {
        var head = Example.head(method, target, fields: fields)
        let lines = [method, fields["content-md5"] ?? "", fields["content-type"] ?? "", expires, rest]
        let signature = PercentCoding.encode(signature(lines.joined(separator: "\n")).utf8)
        head.target += head.target.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
        head.target += "AWSAccessKeyId=\(accessKeyID)&Expires=\(expires)&Signature=\(signature)"
        return head
    }

    static func verify(
        _ head: RequestHead, bucketOfHost: String? = nil, secret: SecretKey = Example.secret,
        now: Timestamp = Example.now, isAllowed: Bool = true
    ) throws {
        switch try RequestSignature.parse(head: head, allowsVersion2: isAllowed) {
        case .version2(let presented):
            try SignatureV2Request.verify(
                presented, head: head, bucketOfHost: bucketOfHost, secretKey: secret, now: now)
        case .version4(let presented):
            try SignatureV4Request.verify(
                presented, head: head, secretKey: secret, now: now, region: Example.region)
        case nil: throw Example.Anonymous()
        }
    }

    /// The S3 error code that verifying ends with, or nil where it succeeds.
    static func refusal(
        _ head: RequestHead, bucketOfHost: String? = nil, secret: SecretKey = Example.secret,
        now: Timestamp = Example.now, isAllowed: Bool = true
    ) -> String? {
        do {
            try verify(head, bucketOfHost: bucketOfHost, secret: secret, now: now, isAllowed: isAllowed)
            return nil
        } catch let error as SigningError {
            return error.code
        } catch {
            return "\(error)"
        }
    }
}
