import Identity
import Policy
import Primitives
import Signing
import Testing

@Suite("Authentication")
struct AuthenticatorTests {
    private static let now = Timestamp(seconds: 1_773_500_966)
    private static let root = AccessKey(
        id: "ROOTKEY", secret: SecretKey("root secret"), principal: .root(account: "111122223333"))
    private static let alice = AccessKey(
        id: "AKIAALICE", secret: SecretKey("alice secret"), principal: .user("alice", account: "111122223333"))

    private func authenticator(
        users: [AccessKey] = [alice], allowsSignatureV2: Bool = true
    ) throws -> Authenticator {
        Authenticator(
            credentials: try StaticCredentialStore(root: Self.root, users: users), region: "us-east-1",
            allowsSignatureV2: allowsSignatureV2)
    }

    private func signed(
        _ key: AccessKey, token: String? = nil, payload: PayloadMode = .unsigned, fields: HeaderFields = [:]
    ) throws -> RequestHead {
        var head = RequestHead(method: "PUT", target: "/bucket/key", fields: fields)
        head.fields["host"] = "example.com"
        let credentials = SigningCredentials(accessKeyID: key.id, secret: key.secret, sessionToken: token)
        try Signer(credentials: credentials, region: "us-east-1").sign(&head, payload: payload, at: Self.now)
        return head
    }

    @Test("tells who signed, again and again")
    func known() throws {
        let authenticator = try authenticator()
        for _ in 0..<3 {
            for key in [Self.root, Self.alice] {
                let request = try authenticator.authenticate(try signed(key), bucketOfHost: nil, at: Self.now)
                #expect(request.principal == key.principal)
                #expect(request.accessKey?.id == key.id)
                #expect(request.presented?.carrier == .header)
                #expect(request.payload.mode == .unsigned)
            }
            let impostor = AccessKey(id: Self.root.id, secret: Self.alice.secret, principal: Self.root.principal)
            #expect(refusal(authenticator, try signed(impostor)) == "SignatureDoesNotMatch")
        }
    }

    private func refusal(_ authenticator: Authenticator, _ head: RequestHead) -> String? {
        do throws(SigningError) {
            _ = try authenticator.authenticate(head, bucketOfHost: nil, at: Self.now)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("A request without a signature is anonymous, and its framing is still read")
    func anonymous() throws {
        let plain = RequestHead(method: "GET", target: "/bucket/key", fields: ["host": "example.com"])
        let request = try authenticator().authenticate(plain, bucketOfHost: nil, at: Self.now)
        #expect(request.principal == .anonymous)
        #expect(request.accessKey == nil)
        var framed = plain
        framed.fields["x-amz-content-sha256"] = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        framed.fields["x-amz-decoded-content-length"] = "5"
        #expect(try authenticator().authenticate(framed, bucketOfHost: nil, at: Self.now).payload.decodedLength == 5)
    }

    @Test("Unknown keys and unknown session tokens are refused")
    func unknown() throws {
        let stranger = AccessKey(
            id: "AKIASTRANGER", secret: Self.alice.secret, principal: .user("x", account: "111122223333"))
        #expect(refusal(try authenticator(), try signed(stranger)) == "InvalidAccessKeyId")
        #expect(refusal(try authenticator(), try signed(Self.alice, token: "token")) == "InvalidToken")
        let lower = AccessKey(id: "akiaalice", secret: Self.alice.secret, principal: Self.alice.principal)
        #expect(refusal(try authenticator(), try signed(lower)) == "InvalidAccessKeyId")
    }

    @Test("A key whose secret has changed no longer verifies by the old one")
    func rotation() throws {
        let before = try authenticator()
        let head = try signed(Self.alice)
        #expect(refusal(before, head) == nil)
        let rotated = AccessKey(
            id: Self.alice.id, secret: SecretKey("another secret"), principal: Self.alice.principal)
        #expect(refusal(try authenticator(users: [rotated]), head) == "SignatureDoesNotMatch")
    }

    /// A PUT that version 2 signed, with these `x-amz-*` fields besides, in the order of their names.
    private func signedV2(_ key: AccessKey, _ fields: HeaderFields = [:]) -> RequestHead {
        var head = RequestHead(method: "PUT", target: "/bucket/key", fields: fields)
        head.fields["host"] = "example.com"
        head.fields["date"] = Self.now.httpDate
        let lines = fields.fields.map { "\($0.name):\($0.value)\n" }.joined()
        let text = "PUT\n\n\n\(Self.now.httpDate)\n\(lines)/bucket/key"
        head.fields["authorization"] =
            "AWS \(key.id):\(SignatureV2Request.signature(of: Array(text.utf8), key.secret))"
        return head
    }

    @Test("A signature of version 2 tells who signed, and its payload is checked as it says itself")
    func version2() throws {
        let authenticator = try authenticator()
        for key in [Self.root, Self.alice] {
            let request = try authenticator.authenticate(signedV2(key), bucketOfHost: nil, at: Self.now)
            #expect(request.principal == key.principal)
            #expect(request.accessKey?.id == key.id)
            #expect(request.presented?.version == .version2)
            #expect(request.payload.mode == .unsigned)
        }
        let impostor = AccessKey(id: Self.root.id, secret: Self.alice.secret, principal: Self.root.principal)
        #expect(refusal(authenticator, signedV2(impostor)) == "SignatureDoesNotMatch")
        let stranger = AccessKey(id: "AKIASTRANGER", secret: Self.alice.secret, principal: Self.alice.principal)
        #expect(refusal(authenticator, signedV2(stranger)) == "InvalidAccessKeyId")
        #expect(refusal(authenticator, signedV2(Self.alice, ["x-amz-security-token": "t"])) == "InvalidToken")
        let digest = String(repeating: "0", count: 64)
        let hashed = try authenticator.authenticate(
            signedV2(Self.alice, ["x-amz-content-sha256": digest]), bucketOfHost: nil, at: Self.now)
        #expect(hashed.payload.mode == .sha256([UInt8](repeating: 0, count: 32)))
    }

    @Test("CVE-2026-40344: chunks that claim to be signed have no signer in version 2, wherever they claim it")
    func version2Chunks() throws {
        let length = ["x-amz-decoded-content-length": "5"] as HeaderFields
        for mode in ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"] {
            let fields: HeaderFields = ["x-amz-content-sha256": mode, "x-amz-decoded-content-length": "5"]
            #expect(refusal(try authenticator(), signedV2(Self.alice, fields)) == "AccessDenied")
            var head = signedV2(Self.alice, length)
            let text = "PUT\n\n\n9999999999\nx-amz-content-sha256:\(mode)\nx-amz-decoded-content-length:5\n/bucket/key"
            let signature = SignatureV2Request.signature(of: Array(text.utf8), Self.alice.secret)
            head.fields["authorization"] = nil
            head.target +=
                "?AWSAccessKeyId=\(Self.alice.id)&Expires=9999999999&X-Amz-Content-Sha256=\(mode)"
                + "&Signature=\(PercentCoding.encode(signature.utf8))"
            #expect(refusal(try authenticator(), head) == "AccessDenied")
        }
    }

    @Test("Where version 2 is not allowed, it is told to use version 4")
    func version2NotAllowed() throws {
        let authenticator = try authenticator(allowsSignatureV2: false)
        #expect(refusal(authenticator, signedV2(Self.alice)) == "InvalidRequest")
        #expect(refusal(authenticator, try signed(Self.alice)) == nil)
        let form = try PostForm([("key", "k"), ("AWSAccessKeyId", Self.alice.id), ("policy", ""), ("signature", "")])
        #expect {
            try authenticator.authenticate(form, bucket: "bucket", at: Self.now)
        } throws: { ($0 as? SigningError)?.code == "InvalidRequest" }
    }

    private func problem(root: AccessKey = root, users: [AccessKey]) -> IdentityError? {
        do throws(IdentityError) {
            _ = try StaticCredentialStore(root: root, users: users)
            return nil
        } catch {
            return error
        }
    }

    private func key(_ id: String, _ secret: String = "long enough", root: Bool = false) -> AccessKey {
        AccessKey(
            id: id, secret: SecretKey(secret),
            principal: root ? .root(account: "111122223333") : .user("u", account: "111122223333"))
    }

    @Test("CVE-2023-27589: a user's key cannot be the root key, nor have its id")
    func rootKey() {
        #expect(problem(users: [key("ROOTKEY")]) == .sameAsRoot("ROOTKEY"))
        #expect(problem(users: [key("other", root: true)]) == .wrongOwner("other"))
        #expect(problem(root: key("user"), users: []) == .wrongOwner("user"))
        #expect(problem(root: key("root", "short", root: true), users: []) == .shortSecret("root"))
    }

    @Test("Keys that are given twice, are malformed or have short secrets are refused")
    func malformed() {
        #expect(problem(users: [key("one"), key("two")]) == nil)
        #expect(problem(users: [key("one"), key("one", "other secret")]) == .duplicate("one"))
        #expect(problem(users: [key("one", "1234567")]) == .shortSecret("one"))
        #expect(problem(users: [key("one", "12345678")]) == nil)
        for id in ["", "ab", "a b", "a,bc", "a=bc", "äöü", "abc\u{301}", String(repeating: "a", count: 129)] {
            #expect(problem(users: [key(id)]) == .malformedID(id), "\(id)")
        }
    }

    @Test("No key shows its secret")
    func redacted() {
        var text = "\(Self.alice) \(String(reflecting: Self.alice))"
        dump(Self.alice, to: &text)
        #expect(!text.contains("alice secret"))
        #expect(text.contains("<redacted>"))
        #expect(!IdentityError.shortSecret("id").description.isEmpty)
    }
}
