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
        secret: SecretKey = Example.secret, region: String = Example.region, allowsVersion2: Bool = true
    ) throws(SigningError) -> ClosedRange<Int64>? {
        let form = try PostForm(fields)
        guard let presented = try PostPolicy.parse(form, allowsVersion2: allowsVersion2) else { return nil }
        return try PostPolicy.evaluate(
            presented, form: form, bucket: bucket, secretKey: secret, now: now, region: region)
    }

    /// The code and message that evaluating ends with, or nil where it succeeds.
    private func refusal(
        _ fields: [(name: String, value: String)], bucket: String = "bucket", now: Timestamp = Example.now,
        secret: SecretKey = Example.secret, region: String = Example.region, allowsVersion2: Bool = true
    ) -> String? {
        do throws(SigningError) {
            _ = try evaluate(
                fields, bucket: bucket, now: now, secret: secret, region: region, allowsVersion2: allowsVersion2)
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

    @Test("A form without policy is anonymous")
    func anonymous() throws {
        #expect(try evaluate([(name: "key", value: "a")]) == nil)
    }

    /// Fields of a form whose policy version 2 signed.
    private func version2(
        _ policy: String, fields: [(name: String, value: String)] = [("key", "user/a")]
    ) -> [(name: String, value: String)] {
        let encoded = Base64.encode(Array(policy.utf8))
        return fields + [
            ("AWSAccessKeyId", Version2.accessKeyID), ("Policy", encoded), ("signature", Version2.signature(encoded)),
        ]
    }

    private func plain(_ conditions: String, expiration: String = later) -> String {
        #"{"expiration":"\#(expiration)","conditions":[\#(conditions)]}"#
    }

    @Test("of version 2 are held against the same conditions")
    func version2Conditions() throws {
        let fields = version2(plain(usual + #",["content-length-range",1,9]"#))
        #expect(try evaluate(fields) == 1...9)
        #expect(try evaluate(fields, region: "eu-central-1") == 1...9, "version 2 is of no region")
        #expect(refusal(fields, secret: SecretKey("wrong"))?.contains("SignatureDoesNotMatch") == true)
        #expect(refusal(fields, bucket: "other")?.contains("AccessDenied") == true)
        #expect(refusal(fields, now: Example.now + .seconds(601))?.contains("Policy expired.") == true)
        #expect(
            refusal(version2(plain(usual), fields: [("key", "user/a"), ("acl", "private")]))
                == "AccessDenied: Invalid according to Policy: Extra input fields: acl")
        #expect(refusal(version2(plain(usual), fields: [("key", "other")]))?.contains("Condition failed") == true)
        let unlimited = version2(plain(usual, expiration: "2099-01-01T00:00:00Z"))
        #expect(refusal(unlimited, now: Example.now + .seconds(604_801)) == nil)
        for index in fields.indices.dropFirst() {
            var spoiled = fields
            spoiled.remove(at: index)
            #expect(refusal(spoiled)?.contains("InvalidArgument: Bucket POST must contain") == true)
            spoiled = fields
            spoiled[index].value = ""
            #expect(refusal(spoiled) != nil)
        }
    }

    @Test("CVE-2026-41145: a form of two versions is refused, whichever is right")
    func twoVersions() {
        let old = version2(plain(usual))
        for name in ["X-Amz-Signature", "X-Amz-Credential", "X-Amz-Algorithm"] {
            #expect(refusal(old + [(name, "x")])?.contains("InvalidArgument: Only one auth mechanism") == true)
        }
        let new = signed(document(usual), fields: [("key", "user/a")])
        for name in ["AWSAccessKeyId", "Signature"] {
            #expect(refusal(new + [(name, "x")])?.contains("InvalidArgument: Only one auth mechanism") == true)
        }
    }

    @Test("of version 2 are refused where that version is not allowed, and those of version 4 are not")
    func version2NotAllowed() {
        #expect(
            refusal(version2(plain(usual)), allowsVersion2: false)
                == "InvalidRequest: The authorization mechanism you have provided is not supported. Please use "
                + "AWS4-HMAC-SHA256.")
        #expect(refusal(signed(document(usual), fields: [("key", "user/a")]), allowsVersion2: false) == nil)
    }

    @Test("The signature of a URL is none of a form, whose policy it would be")
    func signatureOfURL() {
        let text = "GET\n\n\n\(Version2.expires)\n/bucket/key"
        let fields = [
            (name: "key", value: "user/a"), ("AWSAccessKeyId", Version2.accessKeyID), ("policy", text),
            ("signature", Version2.signature(text)),
        ]
        #expect(refusal(fields) == "InvalidPolicyDocument: Invalid Policy: Invalid Base64.")
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
