import Cryptography
import NIOCore
import Primitives
import Signing

/// A browser's form on its way: fields, a policy that somebody signs, a file. Tests bend what they like.
struct PostedForm: Sendable {
    static let boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW"

    var fields: [(name: String, value: String)]
    /// Conditions of the policy, in JSON, beside those on the fields that sign.
    var conditions: [String]
    var file: Content
    var fileName = "name.txt"
    /// Seconds for which the policy counts.
    var lifetime: Int64 = 600
    /// The version of the signature of the policy.
    var version = SignatureVersion.version4
    /// Parts after the file.
    var trailing: [(name: String, value: String)] = []
    var contentType = "multipart/form-data; boundary=\(boundary)"
    var headers: HeaderFields = [:]
    /// Changes the whole body at the end.
    var bend: @Sendable (inout [UInt8]) -> Void = { _ in }

    /// A form for a key of `bucket`, which its policy allows.
    init(_ key: String, _ file: Content = "posted", _ fields: [(name: String, value: String)] = []) {
        self.fields = [("key", key)] + fields
        self.file = file
        conditions = [#"{"bucket":"bucket"}"#] + self.fields.map { #"["starts-with","$\#($0.name)",""]"# }
    }

    /// The fields with those that sign them; as they are where nobody signs.
    func signed(by credentials: SigningCredentials?, at now: Timestamp) -> [(name: String, value: String)] {
        guard let credentials else { return fields }
        func policy(_ conditions: [String]) -> String {
            let expiration = (now + .seconds(lifetime)).iso8601
            return Base64.encode(
                Array(#"{"expiration":"\#(expiration)","conditions":[\#(conditions.joined(separator: ","))]}"#.utf8))
        }
        guard version == .version4 else {
            let policy = policy(conditions)
            let signature = SignatureV2Request.signature(of: Array(policy.utf8), credentials.secret)
            return fields + [
                ("AWSAccessKeyId", credentials.accessKeyID), ("policy", policy), ("signature", signature),
            ]
        }
        let key = Signer(credentials: credentials, region: GatewayHarness.region).key(at: now)
        let signing: [(name: String, value: String)] = [
            ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
            ("x-amz-credential", "\(credentials.accessKeyID)/\(key.scope)"), ("x-amz-date", now.iso8601Basic),
        ]
        let signed = policy(conditions + signing.map { #"{"\#($0.name)":"\#($0.value)"}"# })
        return fields + signing + [("policy", signed), ("x-amz-signature", key.signature(of: signed.utf8))]
    }

    /// The bytes of the form.
    func encoded(by credentials: SigningCredentials?, at now: Timestamp) -> [UInt8] {
        var bytes: [UInt8] = []
        for field in signed(by: credentials, at: now) { bytes += Self.part(field.name, Array(field.value.utf8)) }
        bytes += Self.part("file", file.bytes, parameters: "; filename=\"\(fileName)\"")
        for field in trailing { bytes += Self.part(field.name, Array(field.value.utf8)) }
        bytes += Array("--\(Self.boundary)--\r\n".utf8)
        bend(&bytes)
        return bytes
    }

    private static func part(_ name: String, _ value: [UInt8], parameters: String = "") -> [UInt8] {
        Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\(parameters)\r\n\r\n".utf8) + value
            + Array("\r\n".utf8)
    }
}

extension S3Client {
    /// Posts a form, signed with this client's key.
    func post(_ form: PostedForm, to target: String = "/bucket", isSecure: Bool = false) async -> Received {
        let bytes = form.encoded(by: credentials, at: harness.now)
        var head = RequestHead(method: "POST", target: target, fields: form.headers)
        head.fields["host"] = host
        head.fields["content-type"] = form.contentType
        head.fields["content-length"] = head.fields["content-length"] ?? String(bytes.count)
        return await harness.handle(head, Body(buffers: Self.pieces(bytes)), isSecure: isSecure)
    }
}
