import Cryptography
import Primitives
import Signing
import Testing

@Suite("The published SigV4 suite", .enabled(if: PublishedSuite.folder != nil, "shared/vectors/sigv4 is not here"))
struct PublishedSuiteTests {
    /// Cases whose signer changes the path first, which S3 never does.
    private static let normalised: Set<String> = [
        "get-relative-normalized", "get-relative-relative-normalized", "get-slash-dot-slash-normalized",
        "get-slash-normalized", "get-slash-pointless-dot-normalized", "get-slashes-normalized",
    ]
    private static let cases = PublishedSuite.cases.filter { !normalised.contains($0.name) }

    @Test("is there whole")
    func number() {
        #expect(PublishedSuite.cases.count == 38)
        #expect(Self.cases.count == 32)
    }

    @Test("has the canonical requests, texts and signatures that we compute, in the header", arguments: cases)
    func header(_ suiteCase: PublishedSuite.Case) throws {
        try check(suiteCase, form: "header")
    }

    @Test("has the canonical requests, texts and signatures that we compute, in the query", arguments: cases)
    func query(_ suiteCase: PublishedSuite.Case) throws {
        try check(suiteCase, form: "query")
    }

    private func check(_ suiteCase: PublishedSuite.Case, form: String) throws {
        let context = try suiteCase.context()
        let (head, body) = try suiteCase.request("\(form)-signed-request.txt")
        let presented = try #require(try Example.presented(head))
        let credentials = try #require(context["credentials"])
        let secret = SecretKey(try #require(credentials["secret_access_key"]?.stringValue))
        let now = try #require(Timestamp(iso8601: context["timestamp"]?.stringValue ?? ""))
        let region = try #require(context["region"]?.stringValue)
        #expect(presented.signature == (try suiteCase.text("\(form)-signature.txt")))
        #expect(presented.accessKeyID == credentials["access_key_id"]?.stringValue)

        let payload = presented.payload?.headerValue ?? Hex.encode(Digest.hash(.sha256, body))
        let omitsToken = context["omit_session_token"] == true
        let canonical = try CanonicalRequest(
            head: omitsToken ? withoutToken(head) : head, signedHeaders: presented.signedHeaders, payload: payload)
        #expect(
            String(decoding: canonical.bytes, as: UTF8.self) == (try suiteCase.text("\(form)-canonical-request.txt")))
        let text = canonical.stringToSign(date: presented.date, scope: presented.scope)
        #expect(String(decoding: text, as: UTF8.self) == (try suiteCase.text("\(form)-string-to-sign.txt")))
        let key = SigningKey(secret: secret, scope: presented.scope)
        #expect(key.signature(of: text) == presented.signature)

        func verify(_ secret: SecretKey) throws(SigningError) {
            try SignatureV4Request.verify(
                presented, head: head, secretKey: secret, now: now, region: region, service: "service",
                bodySHA256: Digest.hash(.sha256, body))
        }
        if omitsToken {
            // The token was added after signing. S3 wants every x-amz-* header signed, so we refuse such a request.
            #expect { try verify(secret) } throws: {
                ["AccessDenied", "SignatureDoesNotMatch"].contains(($0 as? SigningError)?.code)
            }
        } else {
            #expect(throws: Never.self) { try verify(secret) }
        }
        #expect(throws: SigningError.self) { try verify(SecretKey("another secret")) }
    }

    private func withoutToken(_ head: RequestHead) -> RequestHead {
        var head = head
        let pieces = head.target.utf8.split(separator: UInt8(ascii: "&")).map { String(Substring($0)) }
        head.target = pieces.filter { !$0.starts(with: "X-Amz-Security-Token=") }.joined(separator: "&")
        return head
    }
}
