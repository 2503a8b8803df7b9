import Cryptography
import NIOCore
import Primitives
import Signing
import Testing

@Suite("Requests that botocore and awscrt signed")
struct OracleTests {
    @Test("are there")
    func number() throws {
        let oracle = try Oracle.shared.get()
        #expect(oracle.requests.count == 156)
        #expect(oracle.chunks.count == 8)
        #expect(oracle.version2.count == 113)
        #expect(oracle.requests.contains { $0.name.utf8.starts(with: "awscrt: HTTP_REQUEST_QUERY_PARAMS".utf8) })
    }

    private func verify(_ request: Oracle.Request, head: RequestHead? = nil, secret: SecretKey? = nil) throws
        -> SigningKey
    {
        let oracle = try Oracle.shared.get()
        let head = head ?? request.head
        let presented = try #require(try Example.presented(head))
        return try SignatureV4Request.verify(
            presented, head: head, secretKey: secret ?? oracle.secret, now: oracle.date + .seconds(60),
            region: oracle.region)
    }

    @Test("are accepted, and their payload too", arguments: Oracle.requests)
    func accepted(_ request: Oracle.Request) async throws {
        let key = try verify(request)
        guard let framed = request.body else { return }
        let presented = try Example.presented(request.head)
        let verification = try PayloadVerification(head: request.head, presented: presented, signingKey: key)
        let wrapped = verification.wrap(Body(framed))
        let trailer = wrapped.trailer
        let payload = try await wrapped.takeBody().collect(limit: 1 << 20)
        #expect(verification.decodedLength ?? Int64(framed.count) == Int64(payload.readableBytes))
        #expect(trailer?.fields?.fields.count == (verification.mode.hasTrailer ? 1 : nil))
        if let field = trailer?.fields?.fields.first {
            let algorithm = try #require(ChecksumAlgorithm(headerName: field.name))
            #expect(Base64.encode(Digest.hash(algorithm, payload)) == field.value)
        }
    }

    @Test("are refused with another secret", arguments: Oracle.requests)
    func wrongSecret(_ request: Oracle.Request) {
        #expect { try verify(request, secret: SecretKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEz")) } throws: {
            ($0 as? SigningError)?.code == "SignatureDoesNotMatch"
        }
    }

    @Test("are refused with any change of what was signed", arguments: Oracle.requests)
    func changes(_ request: Oracle.Request) throws {
        let presented = try #require(try Example.presented(request.head))
        var changed = request.head
        changed.method = request.head.method == "GET" ? "HEAD" : "GET"
        #expect(throws: SigningError.self) { try verify(request, head: changed) }
        changed = request.head
        changed.target = changed.target.replacing("/bucket", with: "/Bucket", maxReplacements: 1)
        if changed != request.head { #expect(throws: SigningError.self) { try verify(request, head: changed) } }
        changed = request.head
        changed.target += changed.target.utf8.contains(UInt8(ascii: "?")) ? "&acl" : "?acl"
        #expect(throws: SigningError.self) { try verify(request, head: changed) }
        for name in presented.signedHeaders {
            changed = request.head
            changed.fields[name] = (changed.fields[name] ?? "") + "x"
            #expect(throws: SigningError.self, "\(name)") { try verify(request, head: changed) }
            changed.fields[name] = nil
            #expect(throws: SigningError.self, "\(name)") { try verify(request, head: changed) }
        }
    }

    @Test("have chunks and trailers that we frame and sign in the same way", arguments: Oracle.chunks)
    func chunks(_ chunks: Oracle.Chunks) async throws {
        let oracle = try Oracle.shared.get()
        let scope = CredentialScope(date: oracle.date.basicDate, region: oracle.region)
        let key = SigningKey(secret: oracle.secret, scope: scope)
        var encoder = AWSChunkedEncoder(signatures: ChunkSignatures(key: key, date: oracle.date, seed: chunks.seed))
        var framed: [UInt8] = []
        for (index, size) in chunks.sizes.enumerated() {
            framed += encoder.chunk((0..<size).map { UInt8((index + $0) % 251) })
        }
        framed += encoder.end(trailer: chunks.trailerName.map { [$0: "AAAAAA=="] })
        #expect(Hex.encode(Digest.hash(.sha256, framed)) == chunks.framedSHA256)
    }

    @Test(
        "include a form that its policy allows, in either version", arguments: [SignatureVersion.version2, .version4])
    func form(_ version: SignatureVersion) throws {
        let oracle = try Oracle.shared.get()
        let posted = version == .version2 ? oracle.version2Post : oracle.post
        let form = try PostForm(posted.map { (name: $0.name, value: $0.value.replacing("${filename}", with: "a.png")) })
        let presented = try #require(try PostPolicy.parse(form, allowsVersion2: true))
        #expect(presented.version == version)
        func evaluate(_ secret: SecretKey, after seconds: Int) throws -> ClosedRange<Int64> {
            try PostPolicy.evaluate(
                presented, form: form, bucket: "bucket", secretKey: secret, now: oracle.date + .seconds(seconds),
                region: oracle.region)
        }
        #expect(try evaluate(oracle.secret, after: 60) == 1...1024)
        #expect(throws: SigningError.self) { try evaluate(SecretKey("another secret"), after: 60) }
        #expect(throws: SigningError.self) { try evaluate(oracle.secret, after: 601) }
    }

    /// Parses and verifies as a server does, or tells the code of the refusal.
    private func version2(_ request: Oracle.Request, _ head: RequestHead, secret: SecretKey? = nil) throws -> String? {
        let oracle = try Oracle.shared.get()
        return Version2.refusal(
            head, bucketOfHost: request.bucketOfHost, secret: secret ?? oracle.secret, now: oracle.date + .seconds(60))
    }

    @Test("of version 2 are accepted, and with another secret refused", arguments: Oracle.version2)
    func version2Accepted(_ request: Oracle.Request) throws {
        #expect(try version2(request, request.head) == nil)
        let other = SecretKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEz")
        #expect(try version2(request, request.head, secret: other) == "SignatureDoesNotMatch")
    }

    @Test("of version 2 are refused with any change of what was signed", arguments: Oracle.version2)
    func version2Changes(_ request: Oracle.Request) throws {
        var changed = request.head
        changed.method = request.head.method == "GET" ? "HEAD" : "GET"
        #expect(try version2(request, changed) == "SignatureDoesNotMatch")
        changed = request.head
        changed.target = "/x" + changed.target
        #expect(try version2(request, changed) == "SignatureDoesNotMatch")
        changed = request.head
        changed.target += (changed.target.utf8.contains(UInt8(ascii: "?")) ? "&" : "?") + "restore"
        #expect(try version2(request, changed) == "SignatureDoesNotMatch")
        for field in ["content-md5", "content-type", "x-amz-acl", "x-amz-meta-b", "x-amz-copy-source", "x-amz-tagging"]
        {
            changed = request.head
            changed.fields[field] = (changed.fields[field] ?? "") + "x"
            #expect(try version2(request, changed) == "SignatureDoesNotMatch", "\(field)")
            guard request.head.fields.contains(field) else { continue }
            changed.fields[field] = nil
            #expect(try version2(request, changed) == "SignatureDoesNotMatch", "\(field)")
        }
    }
}
