import Primitives
import Signing
import Testing

@Suite("Attacks on signature version 2")
struct SignatureV2AttackTests {
    @Test(
        "CVE-2026-40344: a wrong secret is refused for every operation",
        arguments: [
            ("PUT", "/bucket/key"), ("PUT", "/bucket/key?partNumber=1&uploadId=u"), ("POST", "/bucket/key?uploadId=u"),
            ("DELETE", "/bucket/key"), ("GET", "/bucket?policy"), ("POST", "/bucket?delete"),
        ])
    func wrongSecret(_ method: String, _ target: String) {
        for head in [
            Version2.signed(method, target, rest: target), Version2.presigned(method, target, rest: target),
        ] {
            #expect(Version2.refusal(head) == nil)
            #expect(Version2.refusal(head, secret: SecretKey("wrong")) == "SignatureDoesNotMatch")
        }
    }

    @Test("CVE-2026-41145: two claims are one too many, whichever they are and whichever is right")
    func twoClaims() throws {
        var both = Version2.presigned()
        both.fields["authorization"] = Version2.signed().fields["authorization"]
        both.fields["date"] = Example.now.httpDate
        #expect(Version2.refusal(both) == "InvalidArgument")
        var twice = Version2.signed()
        twice.fields.append("authorization", twice.fields["authorization"] ?? "")
        #expect(Version2.refusal(twice) == "InvalidArgument")
        var mixed = try Example.presigned()
        mixed.target += "&AWSAccessKeyId=AKIA&Expires=\(Version2.expires)&Signature=x"
        #expect(Version2.refusal(mixed) == "InvalidArgument")
        var old = Version2.presigned()
        old.target += "&X-Amz-Signature=00"
        #expect(Version2.refusal(old) == "InvalidArgument")
        for parameter in ["X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Credential=x", "AWSAccessKeyId=A", "Signature=x"] {
            let header = Version2.signed("GET", "/bucket/key?\(parameter)")
            #expect(Version2.refusal(header) == "InvalidArgument", "\(parameter)")
            let header4 = try Example.signed("GET", "/bucket/key?\(parameter)")
            #expect(Version2.refusal(header4) == "InvalidArgument", "\(parameter)")
        }
    }

    @Test(
        "CVE-2026-41145: half a claim in the query is no anonymous request",
        arguments: [
            "AWSAccessKeyId=A", "Signature=x", "AWSAccessKeyId=A&Expires=1", "Signature=x&Expires=1773501000",
            "AWSAccessKeyId=A&Signature=x", "AWSAccessKeyId=&Signature=x&Expires=1773501866",
            "AWSAccessKeyId=A&Signature=x&Expires=", "AWSAccessKeyId=A&Signature=x&Expires=-1",
            "AWSAccessKeyId=A&Signature=x&Expires=%2B1773501866", "AWSAccessKeyId=A&Signature=x&Expires=1773501866.0",
            "AWSAccessKeyId=A&Signature=x&Expires=0x7fffffff", "AWSAccessKeyId=A&Signature=x&Expires=%D9%A3",
            "AWSAccessKeyId=A&Signature=x&Expires=99999999999999999999",
            "AWSAccessKeyId=A&Signature=x&Expires=tomorrow",
            "AWSAccessKeyId=A&Signature=x&Expires=1773501866&Expires=1",
            "AWSAccessKeyId=A&Signature=%FF&Expires=1773501866",
            "AWSAccessKeyId=A&AWSAccessKeyId=B&Signature=x&Expires=1773501866",
            "AWSAccessKeyId=A&Signature=x&Signature=y&Expires=1773501866",
        ])
    func halfClaims(_ query: String) {
        #expect(Version2.refusal(Example.head("GET", "/bucket/key?\(query)")) == "AccessDenied")
    }

    @Test(
        "Malformed headers and absent dates have S3's codes",
        arguments: [
            ("AWS HAHAHA", "InvalidArgument"), ("AWS", "InvalidArgument"), ("AWS ", "InvalidArgument"),
            ("AWS a", "InvalidArgument"), ("AWS a:", "InvalidArgument"), ("AWS :b", "InvalidArgument"),
            ("AWS a:b:c", "InvalidArgument"), ("AWS  a:b", "InvalidArgument"), ("AWS a b:c", "InvalidArgument"),
            ("AWS é:b", "InvalidArgument"), ("AWSa:b", "InvalidArgument"), ("aws a:b", "InvalidArgument"),
            ("AWS2 a:b", "InvalidArgument"), ("AWS \(String(repeating: "a", count: 129)):b", "InvalidArgument"),
            ("AWS a:b", "AccessDenied"),
        ])
    func malformed(_ value: String, _ code: String) {
        #expect(Version2.refusal(Example.head(fields: ["authorization": value])) == code)
    }

    @Test("CVE-2025-68671: a header counts for 15 minutes before and after its date")
    func skew() {
        let head = Version2.signed()
        for seconds in [-900, -1, 0, 900] {
            #expect(Version2.refusal(head, now: Example.now + .seconds(seconds)) == nil)
        }
        for seconds in [-86_400, -901, 901, 604_800] {
            #expect(Version2.refusal(head, now: Example.now + .seconds(seconds)) == "RequestTimeTooSkewed")
        }
    }

    @Test("CVE-2025-68671: a URL counts until it expires")
    func expiry() {
        let head = Version2.presigned()
        #expect(Version2.refusal(head, now: Example.now + .seconds(900)) == nil)
        #expect(Version2.refusal(head, now: Example.now + .seconds(901)) == "AccessDenied")
        #expect(Version2.refusal(Version2.presigned(expires: "1")) == "AccessDenied")
        #expect(Version2.refusal(Version2.presigned(expires: "999999999999")) == nil)
        var longer = head
        longer.target = head.target.replacing("Expires=\(Version2.expires)", with: "Expires=1773509999")
        #expect(longer != head)
        #expect(Version2.refusal(longer) == "SignatureDoesNotMatch")
    }

    @Test(
        "Dates that are none, or far away, are refused without a crash",
        arguments: [
            ("", "AccessDenied"), ("Bad Date", "AccessDenied"), ("Tue, 07 Jul 1950 21:53:04 GMT", "AccessDenied"),
            ("Wed, 31 Dec 1969 23:59:59 GMT", "AccessDenied"),
            ("Tue, 07 Jul 2010 21:53:04 GMT", "RequestTimeTooSkewed"),
            ("Tue, 07 Jul 9999 21:53:04 GMT", "RequestTimeTooSkewed"), ("1773500966", "AccessDenied"),
            ("Thu, 30 Feb 2026 00:00:00 GMT", "AccessDenied"), ("Sat, 14 Mar 2026 15:09:26", "AccessDenied"),
            ("Sat, 14 Mar 2026 15:09:26 +2400", "AccessDenied"), ("Sat, 14 Mar 2026 15:09:26 +00:00", "AccessDenied"),
            ("Sat, 14 Mar 2026 15:09:26 EST", "AccessDenied"),
            ("Sat, 14 Mar 99999999999999999999 1:1:1 GMT", "AccessDenied"),
            (" ", "AccessDenied"), ("+0000", "AccessDenied"), ("\u{1F600} +0000", "AccessDenied"),
        ])
    func dates(_ date: String, _ code: String) {
        #expect(Version2.refusal(Version2.signed(date: date)) == code)
        let alternative = Version2.signed(
            fields: ["x-amz-date": date], rest: "x-amz-date:\(date)\n/bucket/key", date: Example.now.httpDate)
        #expect(Version2.refusal(alternative) == code)
    }

    @Test("A header's signature is none of a URL, and a URL's none of a header")
    func otherCarrier() throws {
        let date = Example.now.httpDate
        let header = Version2.signature("GET\n\n\n\(date)\n/bucket/key")
        let url = "AWSAccessKeyId=\(Version2.accessKeyID)&Signature=\(PercentCoding.encode(header.utf8))"
        for expires in [PercentCoding.encode(date.utf8), "", "1773501866"] {
            let head = Example.head("GET", "/bucket/key?\(url)&Expires=\(expires)")
            #expect(["AccessDenied", "SignatureDoesNotMatch"].contains(Version2.refusal(head) ?? "accepted"))
        }
        var head = Version2.signed(date: Version2.expires)
        #expect(Version2.refusal(head) == "AccessDenied")
        head.fields["x-amz-date"] = date
        #expect(Version2.refusal(head) == "SignatureDoesNotMatch")
    }

    @Test(
        "CVE-2026-54330: no x-amz-* header has an effect unsigned, nor has such a parameter",
        arguments: [
            "x-amz-acl", "x-amz-copy-source", "x-amz-grant-full-control", "x-amz-meta-owner", "x-amz-security-token",
            "x-amz-server-side-encryption", "x-amz-tagging", "x-amz-bypass-governance-retention", "x-amz-date",
            "x-amz-content-sha256", "x-amz-trailer", "x-amz-decoded-content-length", "x-amz-anything", "x-amz-",
        ])
    func unsignedHeader(_ name: String) {
        let value = name == "x-amz-date" ? Example.now.httpDate : "value"
        for head in [Version2.presigned("PUT"), Version2.signed("PUT")] {
            var spoiled = head
            spoiled.fields[name] = value
            #expect(Version2.refusal(spoiled) == "SignatureDoesNotMatch")
            spoiled = head
            let mark = head.target.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
            spoiled.target += "\(mark)\(name)=\(PercentCoding.encode(value.utf8))"
            #expect(Version2.refusal(spoiled) == "SignatureDoesNotMatch")
            spoiled.target = head.target + mark + name.uppercased() + "=" + PercentCoding.encode(value.utf8)
            // Only the three parameters of version 4 are claims, and only as they are written.
            #expect(Version2.refusal(spoiled) == "SignatureDoesNotMatch")
        }
    }

    @Test("Content-Type and Content-MD5 are signed, by their absence too", arguments: ["content-type", "content-md5"])
    func positional(_ name: String) {
        for head in [Version2.presigned("PUT"), Version2.signed("PUT")] {
            var spoiled = head
            spoiled.fields[name] = "text/html"
            #expect(Version2.refusal(spoiled) == "SignatureDoesNotMatch")
            spoiled.fields.append(name, "")
            #expect(Version2.refusal(spoiled) == "InvalidArgument")
        }
        let signed = Version2.signed("PUT", fields: [name: "a"])
        #expect(Version2.refusal(signed) == nil)
        var moved = signed
        moved.fields[name] = nil
        moved.fields[name == "content-type" ? "content-md5" : "content-type"] = "a"
        #expect(Version2.refusal(moved) == "SignatureDoesNotMatch")
    }

    @Test("Only metadata may come twice: one value with a comma and two values are one text")
    func repeated() {
        let head = Version2.signed("PUT", fields: ["x-amz-tagging": "a=1,b"], rest: "x-amz-tagging:a=1,b\n/bucket/key")
        #expect(Version2.refusal(head) == nil)
        var split = head
        split.fields["x-amz-tagging"] = "a=1"
        split.fields.append("x-amz-tagging", "b")
        #expect(Version2.refusal(split) == "InvalidArgument")
        for name in ["date", "x-amz-date", "x-amz-security-token"] {
            var twice = Version2.signed(
                fields: ["x-amz-date": Example.now.httpDate],
                rest: "x-amz-date:\(Example.now.httpDate)\n/bucket/key", date: Example.now.httpDate)
            twice.fields.append(name, Example.now.httpDate)
            twice.fields.append(name, Example.now.httpDate)
            #expect(Version2.refusal(twice) == "InvalidArgument", "\(name)")
        }
    }

    @Test(
        "What a query asks for is signed",
        arguments: [
            "uploadId=u", "partNumber=1", "versionId=v", "response-content-type=text%2Fhtml", "response-expires=x",
            "response-content-language=x", "response-cache-control=x", "response-content-disposition=x",
            "response-content-encoding=x", "acl", "policy", "tagging", "delete", "versions", "uploads", "versioning",
            "attributes", "encryption", "retention", "legal-hold", "object-lock", "restore", "select", "lifecycle",
            "cors",
            "website", "logging", "notification", "replication", "requestPayment", "location", "publicAccessBlock",
            "policyStatus", "ownershipControls", "acl=x", "tagging=",
        ])
    func parameters(_ parameter: String) {
        for head in [Version2.presigned(), Version2.signed()] {
            var spoiled = head
            spoiled.target += (head.target.utf8.contains(UInt8(ascii: "?")) ? "&" : "?") + parameter
            #expect(Version2.refusal(spoiled) == "SignatureDoesNotMatch")
        }
        let decoded = PercentCoding.decode(parameter.utf8).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let resource = "/bucket/key?" + (decoded == "tagging=" ? "tagging" : decoded)
        let head = Version2.presigned("GET", "/bucket/key?\(parameter)", rest: resource)
        #expect(Version2.refusal(head) == nil)
        var without = head
        without.target = head.target.replacing("\(parameter)&", with: "")
        #expect(without != head)
        #expect(Version2.refusal(without) == "SignatureDoesNotMatch")
    }

    @Test("A value that would read as another parameter is refused, and so is a parameter that comes twice")
    func ambiguous() {
        let resource = "/bucket/key?response-expires=a&versionId=v"
        #expect(
            Version2.refusal(
                Version2.presigned("GET", "/bucket/key?versionId=v&response-expires=a", rest: resource)) == nil)
        #expect(
            Version2.refusal(
                Version2.presigned("GET", "/bucket/key?response-expires=a%26versionId%3Dv", rest: resource))
                == "AccessDenied")
        let innocent = "/bucket/key?response-expires=a&b=c"
        #expect(
            Version2.refusal(
                Version2.presigned("GET", "/bucket/key?response-expires=a%26b%3Dc", rest: innocent)) == nil)
        let twice = Version2.presigned(
            "GET", "/bucket/key?versionId=a&versionId=b", rest: "/bucket/key?versionId=a&versionId=b")
        #expect(Version2.refusal(twice) == "InvalidArgument")
    }

    @Test("A parameter that becomes a header cannot end it, nor have two values")
    func hoisted() {
        let rest = "x-amz-acl:public-read\nx-amz-meta-a:1\n/bucket/key"
        let fields: HeaderFields = ["x-amz-acl": "public-read", "x-amz-meta-a": "1"]
        #expect(Version2.refusal(Version2.presigned("PUT", fields: fields, rest: rest)) == nil)
        for query in [
            "x-amz-acl=public-read%0Ax-amz-meta-a%3A1", "x-amz-acl=public-read%0D%0Ax-amz-meta-a%3A1",
            "x-amz-acl=private&x-amz-acl=public-read", "x-amz-acl=public-read&X-AMZ-ACL=public-read",
            "x-amz-acl%0Ab=c", "x-amz-a%3Ab=c", "x-amz-acl=%FF", "x-amz-acl=%00",
        ] {
            let head = Version2.presigned("PUT", "/bucket/key?\(query)", rest: rest)
            #expect(Version2.refusal(head) == "InvalidArgument", "\(query)")
        }
        var other = Version2.presigned("PUT", "/bucket/key?x-amz-acl=private", rest: "x-amz-acl:private\n/bucket/key")
        #expect(Version2.refusal(other) == nil)
        other.fields["x-amz-acl"] = "public-read"
        #expect(Version2.refusal(other) == "InvalidArgument")
    }

    @Test(
        "cloudpods PR 25490: a path is signed as it was sent, so that a signature counts for one key alone",
        arguments: [
            ("/bucket/a%2541", "/bucket/aA"), ("/bucket/a%2541", "/bucket/a%41"), ("/bucket/a%252Fb", "/bucket/a/b"),
            ("/bucket/a%2Fb", "/bucket/a/b"), ("/bucket/a/../b", "/bucket/b"), ("/bucket//a", "/bucket/a"),
            ("/bucket/a%20b", "/bucket/a+b"), ("/bucket/e%CC%81", "/bucket/%C3%A9"), ("/bucket/a", "/bucket/a/"),
            ("/bucket/", "/bucket"), ("/bucket", "/bucket/a"), ("/", "//"),
        ])
    func oneKey(_ signed: String, _ sent: String) {
        for var head in [Version2.signed("GET", signed, rest: signed), Version2.presigned("GET", signed, rest: signed)]
        {
            #expect(Version2.refusal(head) == nil)
            head.target = sent + head.target.dropFirst(signed.count)
            // A bucket with and without its slash is one bucket.
            #expect(Version2.refusal(head) == (sent == "/bucket" ? nil : "SignatureDoesNotMatch"))
        }
    }

    @Test("A signature counts for the bucket of its host, and for the same one in the path")
    func bucketOfHost() {
        let head = Version2.signed("GET", "/key", rest: "/bucket/key")
        #expect(Version2.refusal(head, bucketOfHost: "bucket") == nil)
        #expect(Version2.refusal(head, bucketOfHost: "other") == "SignatureDoesNotMatch")
        #expect(Version2.refusal(head) == "SignatureDoesNotMatch")
        var path = head
        path.target = "/bucket/key"
        #expect(Version2.refusal(path) == nil)
        #expect(Version2.refusal(path, bucketOfHost: "bucket") == "SignatureDoesNotMatch")
    }

    @Test("Where version 2 is not allowed, S3's newer regions are the model")
    func notAllowed() {
        for head in [Version2.signed(), Version2.presigned(), Example.head("GET", "/b/k?AWSAccessKeyId=A")] {
            #expect(Version2.refusal(head, isAllowed: false) == "InvalidRequest")
        }
        #expect(
            throws: SigningError(
                "InvalidRequest", 400,
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")
        ) { try Version2.verify(Version2.signed(), isAllowed: false) }
    }

    @Test("GHSA-v2ch-c8v8-fgr7, CVE-2022-3854: no request crashes the parser", arguments: 0..<20)
    func noise(_ seed: UInt64) {
        var noise = Noise(seed)
        let pieces = [
            "AWSAccessKeyId=", "Signature=", "Expires=", "1773501866", "AKIA", "x-amz-meta-a=", "x-amz-", "acl",
            "versionId=", "%", "%0", "=", "&&", "?", "\u{301}", "/", "AWS ", ":", "-1", "99999999999999999999",
            "Sat, 14 Mar 2026 15:09:26 ", "GMT", "+0000", "-9999", "%0A", "%26acl", "\u{0}",
        ]
        for _ in 0..<1000 {
            let text = (0..<noise.next(12)).map { _ in pieces[noise.next(pieces.count)] }
                .joined(separator: ["", "&", " "][noise.next(3)])
            var head = Example.head("PUT", "/b/k?\(text)")
            if noise.next(2) == 0 { head = Example.head("PUT", "/b/k", fields: ["authorization": text, "date": text]) }
            if noise.next(3) == 0 { head.fields["authorization"] = "AWS a:b" }
            head.fields["x-amz-date"] = noise.next(2) == 0 ? text : nil
            #expect(Version2.refusal(head) != nil)
        }
    }

    @Test("No error tells the secret or the right signature")
    func errorsAreDiscreet() throws {
        let right = Version2.signed()
        let signature = try #require(right.fields["authorization"]).dropFirst("AWS \(Version2.accessKeyID):".count)
        var wrong = right
        wrong.fields["authorization"] = "AWS \(Version2.accessKeyID):\(String(repeating: "A", count: 27))="
        #expect {
            try Version2.verify(wrong)
        } throws: { error in
            var text = ""
            dump(error, to: &text)
            return text.contains("StringToSign") && !text.contains(signature) && !text.contains("wJalrXUtnFEMI")
        }
        // One text alone is the signature: no other spelling of the same bytes is.
        for spelling in [signature.dropLast(), signature + "=", signature + " ", signature + "\n"] {
            wrong.fields["authorization"] = "AWS \(Version2.accessKeyID):\(spelling)"
            #expect(Version2.refusal(wrong) == "SignatureDoesNotMatch")
        }
    }
}
