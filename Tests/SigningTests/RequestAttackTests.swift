import Primitives
import Signing
import Testing

@Suite("Attacks on the signature of a request")
struct RequestAttackTests {
    private static let modes: [PayloadMode] = [
        Example.emptyHash, .unsigned, .signedChunks, .signedChunksWithTrailer, .unsignedChunksWithTrailer,
    ]

    @Test(
        "CVE-2026-40344, CVE-2025-31489: a wrong secret is refused in every payload mode", arguments: modes,
        [
            "PUT /bucket/key", "PUT /bucket/key?partNumber=1&uploadId=u", "POST /bucket/key?uploadId=u",
            "DELETE /bucket/key",
        ])
    func wrongSecret(_ mode: PayloadMode, _ request: String) throws {
        let words = request.split(separator: " ").map(String.init)
        let head = try Example.signed(words[0], words[1], payload: mode)
        #expect(Example.refusal(head) == nil)
        #expect(Example.refusal(head, secret: SecretKey("wrong")) == "SignatureDoesNotMatch")
        let presigned = try Example.presigned(words[0], words[1], fields: ["x-amz-content-sha256": mode.headerValue])
        #expect(Example.refusal(presigned) == nil)
        #expect(Example.refusal(presigned, secret: SecretKey("wrong")) == "SignatureDoesNotMatch")
    }

    @Test("CVE-2026-41145: a credential in the query is verified, and two credentials are one too many")
    func credentialInQuery() throws {
        let credential = "X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20260314%2Fus-east-1%2Fs3%2Faws4_request"
        for parameter in [credential, "X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Signature=00"] {
            let half = Example.head("PUT", "/bucket/key?\(parameter)")
            #expect(Example.refusal(half) == "AuthorizationQueryParametersError")
            let both = try Example.signed("PUT", "/bucket/key?\(parameter)")
            #expect(Example.refusal(both) == "InvalidArgument")
        }
        var both = try Example.presigned()
        both.fields["authorization"] = "AWS4-HMAC-SHA256 x"
        #expect(Example.refusal(both) == "InvalidArgument")
        both.fields["authorization"] = ""
        #expect(Example.refusal(both) == nil)
        var twice = try Example.signed()
        twice.fields.append("authorization", twice.fields["authorization"] ?? "")
        #expect(Example.refusal(twice) == "InvalidArgument")
        var parameterTwice = try Example.presigned()
        parameterTwice.target += "&X-Amz-Expires=604800"
        #expect(Example.refusal(parameterTwice) == "AuthorizationQueryParametersError")
    }

    @Test(
        "CVE-2026-54330: no x-amz-* header has an effect unsigned",
        arguments: [
            "x-amz-acl", "x-amz-copy-source", "x-amz-grant-full-control", "x-amz-meta-owner", "x-amz-security-token",
            "x-amz-server-side-encryption", "x-amz-tagging", "x-amz-bypass-governance-retention", "x-amz-date",
            "x-amz-content-sha256", "x-amz-anything",
        ])
    func unsignedHeader(_ name: String) throws {
        for head in [try Example.presigned("PUT"), try Example.signed("PUT", payload: .unsigned)] {
            var spoiled = head
            let isThere = spoiled.fields.contains(name)
            spoiled.fields.append(name, name == "x-amz-content-sha256" ? "UNSIGNED-PAYLOAD" : "value")
            // One that comes twice is refused as such, or changes what was signed.
            let expected = isThere ? ["InvalidArgument"] : ["AccessDenied"]
            #expect(expected.contains(Example.refusal(spoiled) ?? "accepted"))
        }
        #expect(Example.refusal(try Example.presigned("PUT", fields: [name: "UNSIGNED-PAYLOAD"])) == nil)
    }

    @Test("An unsigned Content-Type is accepted, as AWS does")
    func unsignedContentType() throws {
        var head = try Example.presigned("PUT")
        head.fields["content-type"] = "text/plain"
        #expect(Example.refusal(head) == nil)
    }

    @Test(
        "SignedHeaders that are empty, unsorted, upper-case or without host are refused",
        arguments: [
            ("", "AuthorizationHeaderMalformed"), (";host", "AuthorizationHeaderMalformed"),
            ("host;", "AuthorizationHeaderMalformed"), ("host;;x-amz-date", "AuthorizationHeaderMalformed"),
            ("Host", "AuthorizationHeaderMalformed"), ("x-amz-date;host", "AuthorizationHeaderMalformed"),
            ("host;host", "AuthorizationHeaderMalformed"), ("ho st", "AuthorizationHeaderMalformed"),
            ("x-amz-content-sha256;x-amz-date", "AccessDenied"), ("host;x-amz-date", "AccessDenied"),
            ("absent;host;x-amz-content-sha256;x-amz-date", "SignatureDoesNotMatch"),
        ])
    func signedHeaders(_ names: String, _ code: String) throws {
        var head = try Example.signed()
        let authorization = try #require(head.fields["authorization"])
        head.fields["authorization"] = authorization.replacing("host;x-amz-content-sha256;x-amz-date", with: names)
        #expect(Example.refusal(head) == code)
    }

    @Test("CVE-2025-68671: a header counts for 15 minutes before and after its date")
    func skew() throws {
        let head = try Example.signed()
        for seconds in [-900, -1, 0, 900] {
            #expect(Example.refusal(head, now: Example.now + .seconds(seconds)) == nil)
        }
        for seconds in [-86_400, -901, 901, 604_800] {
            #expect(Example.refusal(head, now: Example.now + .seconds(seconds)) == "RequestTimeTooSkewed")
        }
    }

    @Test("CVE-2025-68671: a presigned URL counts until its expiry and not before its date")
    func expiry() throws {
        let head = try Example.presigned(expires: 3600)
        #expect(Example.refusal(head, now: Example.now + .seconds(3600)) == nil)
        #expect(Example.refusal(head, now: Example.now + .seconds(3601)) == "AccessDenied")
        #expect(Example.refusal(head, now: Example.now + .seconds(-900)) == nil)
        #expect(Example.refusal(head, now: Example.now + .seconds(-901)) == "AccessDenied")
        for expires in [Int64(0), -1, 604_801, .max] {
            #expect(Example.refusal(try Example.presigned(expires: expires)) == "AuthorizationQueryParametersError")
        }
        #expect(Example.refusal(try Example.presigned(expires: 604_800), now: Example.now + .seconds(604_799)) == nil)
    }

    @Test(
        "Dates that are none, or far away, are refused without a crash",
        arguments: [
            "", "yesterday", "20261301T000000Z", "2026-03-14T15:09:26Z", "16780101T000000Z", "22611231T235959Z",
        ])
    func dates(_ date: String) throws {
        var head = try Example.signed()
        head.fields["x-amz-date"] = date
        #expect(["AccessDenied", "AuthorizationHeaderMalformed"].contains(Example.refusal(head) ?? ""))
        if let far = Timestamp(iso8601Basic: date) {
            #expect(Example.refusal(try Example.signed(at: far)) == "RequestTimeTooSkewed")
            #expect(Example.refusal(try Example.presigned(expires: 604_800, at: far)) == "AccessDenied")
        }
    }

    @Test("A Date header counts where there is no x-amz-date")
    func dateHeader() throws {
        var head = Example.head(fields: ["date": Example.now.httpDate, "x-amz-content-sha256": "UNSIGNED-PAYLOAD"])
        let names = ["date", "host", "x-amz-content-sha256"]
        let key = Example.signer.key(at: Example.now)
        let canonical = try CanonicalRequest(head: head, signedHeaders: names, payload: "UNSIGNED-PAYLOAD")
        let signature = key.signature(of: canonical.stringToSign(date: Example.now, scope: key.scope))
        head.fields["authorization"] =
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/\(key.scope),"
            + "SignedHeaders=date;host;x-amz-content-sha256,Signature=\(signature)"
        #expect(Example.refusal(head) == nil)
        head.fields["date"] = nil
        #expect(Example.refusal(head) == "AccessDenied")
    }

    @Test("Another region, service, day or terminator is refused, with the region that is right")
    func scope() throws {
        let head = try Example.signed()
        #expect {
            try Example.verify(head, region: "eu-central-1")
        } throws: { error in
            guard let error = error as? SigningError else { return false }
            return error.code == "AuthorizationHeaderMalformed"
                && error.elements == [SigningError.Element("Region", "eu-central-1")]
                && error.message
                    == "The authorization header is malformed; "
                    + "the region 'us-east-1' is wrong; expecting 'eu-central-1'"
        }
        #expect(
            Example.refusal(try Example.presigned(), region: "eu-central-1") == "AuthorizationQueryParametersError")
        for (old, new) in [("/s3/", "/sts/"), ("/aws4_request", "/aws5_request"), ("/20260314/", "/20260313/")] {
            var spoiled = head
            spoiled.fields["authorization"] = head.fields["authorization"]?.replacing(old, with: new)
            #expect(Example.refusal(spoiled) == "AuthorizationHeaderMalformed")
        }
    }

    @Test(
        "cloudpods PR 25490: a path is decoded once, so that a signature counts for one key alone",
        arguments: [
            ("/bucket/a%2541", "/bucket/aA"), ("/bucket/a%2541", "/bucket/a%41"), ("/bucket/a%252Fb", "/bucket/a/b"),
            ("/bucket/a/../b", "/bucket/b"), ("/bucket//a", "/bucket/a"), ("/bucket/a%20b", "/bucket/a+b"),
            ("/bucket/e%CC%81", "/bucket/%C3%A9"),
        ])
    func oneKey(_ signed: String, _ sent: String) throws {
        var head = try Example.signed("GET", signed)
        #expect(Example.refusal(head) == nil)
        head.target = sent
        #expect(Example.refusal(head) == "SignatureDoesNotMatch")
    }

    @Test("Spellings of one path and one query verify alike")
    func spellings() throws {
        var head = try Example.signed("GET", "/bucket/a%20b/%7E?prefix=a%20b&list-type=2&x")
        head.target = "/bucket/a b/~?list-type=2&x=&prefix=a+b"
        #expect(Example.refusal(head) == nil)
        head.target = "/bucket/%61%20b/~?&list-type=2&&prefix=%61%20b&x"
        #expect(Example.refusal(head) == nil)
    }

    @Test("Signature version 2 where it is not allowed, and unknown schemes, are refused")
    func otherSchemes() throws {
        for (value, code) in [
            ("AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=", "InvalidRequest"),
            ("AWS HAHAHA", "InvalidArgument"),
            ("Basic YTpi", "InvalidArgument"), ("AWS4-HMAC-SHA256", "AuthorizationHeaderMalformed"),
            ("AWS4-HMAC-SHA256 ", "AuthorizationHeaderMalformed"), ("AWS4-ECDSA-P256-SHA256 x", "NotImplemented"),
            ("AWS4-HMAC-SHA256 Credential=a/b/c", "AuthorizationHeaderMalformed"), ("\u{1F600}", "InvalidArgument"),
            ("AWS4-HMAC-SHA256 Credential=,SignedHeaders=,Signature=", "AuthorizationHeaderMalformed"),
            ("AWS4-HMAC-SHA256 ,,", "AuthorizationHeaderMalformed"),
        ] {
            #expect(Example.refusal(Example.head(fields: ["authorization": value])) == code, "\(value)")
        }
        let old = Example.head("GET", "/bucket/key?AWSAccessKeyId=AKIA&Signature=x&Expires=1")
        #expect(Example.refusal(old) == "InvalidRequest")
    }

    @Test("A request that says nothing of a signature is anonymous")
    func anonymous() throws {
        #expect(try Example.presented(Example.head()) == nil)
        #expect(try Example.presented(Example.head(fields: ["authorization": ""])) == nil)
    }

    @Test("x-amz-content-sha256 must be there and known")
    func payloadHash() throws {
        var head = try Example.signed()
        let authorization = try #require(head.fields["authorization"])
        head.fields["x-amz-content-sha256"] = nil
        head.fields["authorization"] = authorization.replacing("x-amz-content-sha256;", with: "")
        #expect(Example.refusal(head) == "InvalidRequest")
        for (value, code) in [
            ("", "InvalidArgument"), ("invalid-payload-checksum", "InvalidArgument"),
            ("unsigned-payload", "InvalidArgument"),
            (String(repeating: "A", count: 64), "InvalidArgument"),
            (String(repeating: "a", count: 62), "InvalidArgument"),
            ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "NotImplemented"),
            ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER", "NotImplemented"),
        ] {
            head.fields["x-amz-content-sha256"] = value
            #expect(Example.refusal(head) == code, "\(value)")
        }
    }

    @Test("GHSA-v2ch-c8v8-fgr7, CVE-2022-3854: no request crashes the parser", arguments: 0..<20)
    func noise(_ seed: UInt64) throws {
        var noise = Noise(seed)
        let pieces = [
            "X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Credential=", "X-Amz-Date=20260314T150926Z", "X-Amz-Expires=9",
            "X-Amz-SignedHeaders=host", "X-Amz-Signature=", "%", "%0", "=", "&&", "?", "\u{301}", "/",
            "AKIA/1/2/3/aws4_request",
            "9999999999999999999999", "-1", "AWS4-HMAC-SHA256 ", "Credential=", "SignedHeaders=", "Signature=", ",",
            ";",
            String(repeating: "a", count: 64), "\u{0}",
        ]
        for _ in 0..<1000 {
            let text = (0..<noise.next(12)).map { _ in pieces[noise.next(pieces.count)] }.joined(
                separator: ["", "&", ","][noise.next(3)])
            var head = Example.head("PUT", "/b/k?\(text)")
            if noise.next(2) == 0 { head = Example.head("PUT", "/b/k", fields: ["authorization": text, "date": text]) }
            #expect(Example.refusal(head) != nil)
        }
    }

    @Test("No error tells the secret or the right signature")
    func errorsAreDiscreet() throws {
        let right = try Example.signed()
        let signature = try #require(try Example.presented(right)).signature
        var wrong = right
        wrong.fields["authorization"] = right.fields["authorization"]?
            .replacing(signature, with: String(repeating: "0", count: 64))
        #expect {
            try Example.verify(wrong)
        } throws: { error in
            var text = ""
            dump(error, to: &text)
            return text.contains("CanonicalRequest") && !text.contains(signature) && !text.contains("wJalrXUtnFEMI")
        }
        var dumped = ""
        dump(Example.signer, to: &dumped)
        dump(Example.signer.key(at: Example.now), to: &dumped)
        print(Example.signer, Example.secret, to: &dumped)
        #expect(!dumped.contains("wJalrXUtnFEMI"))
        #expect(dumped.contains("<redacted>"))
    }
}
