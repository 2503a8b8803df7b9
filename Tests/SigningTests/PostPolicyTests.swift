import Primitives
import Signing
import Testing

@Suite("POST policies")
struct PostPolicyTests {
    private static let later = (Example.now + .seconds(600)).iso8601

    /// Fields of a form that is signed over this policy.
    private func signed(
        _ policy: String, fields: [(name: String, value: String)] = [], at date: Timestamp = Example.now
    ) -> [(name: String, value: String)] {
        let key = Example.signer.key(at: date)
        let encoded = Base64.encode(Array(policy.utf8))
        return fields + [
            ("policy", encoded), ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
            ("x-amz-credential", "AKIAIOSFODNN7EXAMPLE/\(key.scope)"), ("x-amz-date", date.iso8601Basic),
            ("X-Amz-Signature", key.signature(of: encoded.utf8)),
        ]
    }

    private func document(_ conditions: String, expiration: String = later) -> String {
        let common =
            #"["starts-with","$x-amz-algorithm",""],["starts-with","$x-amz-credential",""],"#
            + #"["starts-with","$x-amz-date",""]"#
        return
            #"{"expiration":"\#(expiration)","conditions":[\#(common)\#(conditions.isEmpty ? "" : ",")\#(conditions)]}"#
    }

    private func evaluate(
        _ fields: [(name: String, value: String)], bucket: String = "bucket", now: Timestamp = Example.now,
        secret: SecretKey = Example.secret, region: String = Example.region
    ) throws(SigningError) -> ClosedRange<Int64>? {
        let form = try PostForm(fields)
        guard let presented = try PostPolicy.parse(form) else { return nil }
        return try PostPolicy.evaluate(
            presented, form: form, bucket: bucket, secretKey: secret, now: now, region: region)
    }

    /// The code and message that evaluating ends with, or nil where it succeeds.
    private func refusal(
        _ fields: [(name: String, value: String)], bucket: String = "bucket", now: Timestamp = Example.now,
        secret: SecretKey = Example.secret, region: String = Example.region
    ) -> String? {
        do throws(SigningError) {
            _ = try evaluate(fields, bucket: bucket, now: now, secret: secret, region: region)
            return nil
        } catch {
            return "\(error.code): \(error.message)"
        }
    }

    private let usual = #"{"bucket":"bucket"},["starts-with","$key","user/"]"#

    @Test("admit the form that they describe")
    func admitted() throws {
        let length = try evaluate(
            signed(
                document(
                    usual + #",{"ACL":"private"},["eQ","$CoNtEnT-TyPe","text/plain"],["content-length-range",1,"1024"]"#
                ),
                fields: [("Key", "user/a"), ("acl", "private"), ("Content-Type", "text/plain"), ("x-ignore-me", "x")]))
        #expect(length == 1...1024)
        let free = try evaluate(signed(document(usual), fields: [("key", "user/a")]))
        #expect(free == 0...(5 << 30))
    }

    @Test("CVE-2023-43040, CVE-2023-28434: the bucket is that of the URL, whatever the form says")
    func bucket() {
        let fields = signed(document(usual), fields: [("key", "user/a")])
        #expect(refusal(fields) == nil)
        #expect(
            refusal(fields, bucket: "other")
                == #"AccessDenied: Invalid according to Policy: Policy Condition failed: ["eq", "$bucket", "bucket"]"#)
        let claimed = signed(document(usual), fields: [("key", "user/a"), ("bucket", "bucket")])
        #expect(refusal(claimed) == nil)
        #expect(refusal(claimed, bucket: "other")?.contains("AccessDenied") == true)
        let any = signed(
            document(#"["starts-with","$bucket",""],["starts-with","$key",""]"#),
            fields: [("key", "a"), ("bucket", "bucket")])
        #expect(refusal(any, bucket: "other")?.contains("AccessDenied") == true)
        let uncovered = signed(document(#"["starts-with","$key",""]"#), fields: [("key", "a")])
        #expect(refusal(uncovered) == "AccessDenied: Invalid according to Policy: Extra input fields: bucket")
    }

    @Test(
        "CVE-2026-27607: every condition is enforced",
        arguments: [
            #"["eq","$key","user/b"]"#, #"["starts-with","$key","user/b"]"#, #"{"acl":"private"}"#,
            #"["eq","$acl",""]"#,
            #"["starts-with","$x-amz-meta-a",""]"#, #"{"key":"USER/a"}"#, #"["eq","$bucket","bucket2"]"#,
            #"["starts-with","$content-type","image/"]"#,
        ])
    func enforced(_ condition: String) {
        let text = document(usual + #",["starts-with","$Content-Type",""],"# + condition)
        let fields = signed(text, fields: [("key", "user/a"), ("Content-Type", "image/png,text/html")])
        #expect(
            refusal(fields)?.contains("AccessDenied: Invalid according to Policy: Policy Condition failed: [") == true)
    }

    @Test(
        "SeaweedFS bfea14320: a field that no condition covers is refused",
        arguments: ["acl", "x-amz-meta-a", "tagging", "success_action_redirect", "x-amz-storage-class"])
    func extra(_ name: String) {
        let fields = signed(document(usual), fields: [("key", "user/a"), (name, "x")])
        #expect(refusal(fields) == "AccessDenied: Invalid according to Policy: Extra input fields: \(name)")
    }

    @Test("count until they expire, and never longer than their signing key")
    func expiry() {
        let fields = signed(document(usual), fields: [("key", "user/a")])
        #expect(refusal(fields, now: Example.now + .seconds(600)) == nil)
        #expect(
            refusal(fields, now: Example.now + .seconds(601))
                == "AccessDenied: Invalid according to Policy: Policy expired.")
        let long = signed(document(usual, expiration: "2099-01-01T00:00:00Z"), fields: [("key", "user/a")])
        #expect(refusal(long, now: Example.now + .seconds(604_800)) == nil)
        #expect(refusal(long, now: Example.now + .seconds(604_801))?.contains("Policy expired.") == true)
        #expect(refusal(long, now: Example.now + .seconds(-901))?.contains("Policy expired.") == true)
    }

    @Test("are refused with a wrong secret, signature, region or day")
    func signature() {
        let fields = signed(document(usual), fields: [("key", "user/a")])
        #expect(refusal(fields, secret: SecretKey("wrong"))?.contains("SignatureDoesNotMatch") == true)
        #expect(refusal(fields, region: "eu-central-1")?.contains("InvalidArgument") == true)
        for index in fields.indices where fields[index].name != "key" {
            var spoiled = fields
            spoiled[index].value = String(fields[index].value.dropLast()) + "_"
            #expect(refusal(spoiled) != nil, "\(fields[index].name)")
            spoiled.remove(at: index)
            #expect(refusal(spoiled)?.contains("InvalidArgument") == true, "\(fields[index].name)")
        }
    }

    @Test("A field that comes twice is refused, whatever its case")
    func twice() {
        let fields = signed(document(usual), fields: [("key", "user/a"), ("KEY", "elsewhere")])
        #expect(refusal(fields)?.contains("InvalidArgument") == true)
    }

    @Test("A form of signature version 2 is refused, one without policy is anonymous")
    func others() throws {
        let old = [(name: "key", value: "a"), ("AWSAccessKeyId", "AKIA"), ("policy", "e30="), ("signature", "x")]
        #expect(refusal(old)?.contains("InvalidRequest") == true)
        #expect(try evaluate([(name: "key", value: "a")]) == nil)
    }

    @Test(
        "CVE-2020-12059: malformed documents are refused without a crash",
        arguments: [
            "", "{", "[]", "{}", "null", #"{"expiration":"2099-01-01T00:00:00Z"}"#,
            #"{"conditions":[{"bucket":"bucket"}]}"#,
            #"{"expiration":"tomorrow","conditions":[{"a":"b"}]}"#, #"{"expiration":1,"conditions":[{"a":"b"}]}"#,
            #"{"EXPIRATION":"2099-01-01T00:00:00Z","conditions":[{"a":"b"}]}"#,
            #"{"expiration":"2099-01-01T00:00:00Z","conditions":[]}"#,
            #"{"expiration":"2099-01-01T00:00:00Z","conditions":{}}"#,
            #"{"expiration":"2099-01-01T00:00:00Z","conditions":[{}]}"#,
            #"{"expiration":"2099-01-01T00:00:00Z","conditions":[1]}"#,
            #"{"expiration":"2099-01-01T00:00:00Z","conditions":[{"a":1}]}"#,
            #"{"expiration":"2099-01-01T00:00:00Z","conditions":[[]]}"#,
            #"{"expiration":"2099-01-01T00:00:00Z","conditions":[["eq","$"]]}"#,
            #"{"expiration":"2099-01-01T00:00:00Z","conditions":[["eq","$","a"]]}"#,
            #"{"expiration":"2099-01-01T00:00:00Z","conditions":[["eq","key","a"]]}"#,
            #"{"expiration":"2099-01-01T00:00:00Z","conditions":[["ends-with","$key","a"]]}"#,
            #"{"expiration":"2099-01-01T00:00:00Z","conditions":[["content-length-range",-1,0]]}"#,
            #"{"expiration":"2099-01-01T00:00:00Z","conditions":[["content-length-range",2,1]]}"#,
            #"{"expiration":"2099-01-01T00:00:00Z","conditions":[["content-length-range",0]]}"#,
            #"{"expiration":"2099-01-01T00:00:00Z","conditions":[["content-length-range",0,99999999999999999999]]}"#,
            #"{"expiration":"2099-01-01T00:00:00Z","conditions":[{"a":"b"}],"more":1}"#,
        ])
    func malformed(_ text: String) {
        #expect(refusal(signed(text, fields: [("key", "user/a")]))?.contains("InvalidPolicyDocument") == true)
    }
}
