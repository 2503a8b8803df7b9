import NIOCore
import Primitives
import Signing
import Testing
import TidegateTesting

/// Published holes in the authentication of S3 servers, by their ids, against the whole pipeline.
@Suite("Attacks on signatures")
struct SignatureAttackTests {
    private struct Prepared {
        var harness: GatewayHarness
        var calls: [WriteCall]
        /// Somebody who knows the root's key but not its secret.
        var forger: S3Client
    }

    private func prepared() async throws -> Prepared {
        let harness = try await GatewayHarness.withBucket()
        let calls = try await WriteCall.all(harness)
        let credentials = SigningCredentials(
            accessKeyID: GatewayHarness.keyID("root"), secret: SecretKey("not the secret of root"))
        return Prepared(
            harness: harness, calls: calls, forger: S3Client(harness: harness, credentials: credentials))
    }

    @Test(
        "CVE-2026-40344, CVE-2025-31489: a wrong secret writes nothing, in no payload mode",
        arguments: S3Client.Payload.allCases)
    func wrongSecret(_ payload: S3Client.Payload) async throws {
        let prepared = try await prepared()
        let before = try await prepared.harness.contents()
        for call in prepared.calls {
            let trailers: [HeaderFields?] =
                payload == .unsignedChunksWithTrailer || payload == .signedChunksWithTrailer
                ? [nil, ["x-amz-checksum-crc32": "AAAAAA=="]] : [nil]
            for trailer in trailers {
                let refused = try await call.send(by: prepared.forger, payload: payload, trailer: trailer)
                #expect(refused.outcome == "403 SignatureDoesNotMatch", "\(call.name)")
            }
        }
        #expect(try await prepared.harness.contents() == before)
        let refusals = try await prepared.harness.records().filter { $0.error == "SignatureDoesNotMatch" }
        #expect(!refusals.isEmpty && refusals.allSatisfy { $0.json["userIdentity"]?["accessKeyId"] == nil })
    }

    @Test("CVE-2026-41145: a credential in the query is verified too, and two credentials are one too many")
    func query() async throws {
        let prepared = try await prepared()
        let before = try await prepared.harness.contents()
        for call in prepared.calls {
            let refused = try await prepared.forger.presigned(call.method, call.target, call.headers, call.body)
            #expect(refused.outcome == "403 SignatureDoesNotMatch", "\(call.name)")
            // A right signature in the header and a wrong one in the query, and the other way round.
            for (signer, other) in [(prepared.harness.root, prepared.forger), (prepared.forger, prepared.harness.root)]
            {
                let (signed, _) = try signer.signed(call.method, call.target, call.headers, call.body)
                let both = try await other.presigned(call.method, call.target, call.headers, call.body) { head in
                    head.fields["authorization"] = signed.fields["authorization"]
                    head.fields["x-amz-date"] = signed.fields["x-amz-date"]
                    head.fields["x-amz-content-sha256"] = signed.fields["x-amz-content-sha256"]
                }
                #expect(both.outcome == "400 InvalidArgument", "\(call.name)")
            }
            // A query that is only half a signature makes nobody anonymous.
            for (part, status) in [
                ("X-Amz-Signature=0", 400), ("X-Amz-Credential=x", 400), ("X-Amz-Algorithm=AWS4-HMAC-SHA256", 400),
                // Version 2 wants its three parameters together, or denies.
                ("AWSAccessKeyId=x", 403),
            ] {
                let half = try await prepared.harness.anonymous.send(
                    call.method, call.target + (call.target.contains("?") ? "&" : "?") + part, call.headers, call.body)
                #expect(half.status == status, "\(call.name) \(part)")
            }
        }
        #expect(try await prepared.harness.contents() == before)
    }

    @Test("Who signs nothing, or with a key that is not known, writes nothing")
    func strangers() async throws {
        let prepared = try await prepared()
        let before = try await prepared.harness.contents()
        for call in prepared.calls {
            let anonymous = try await call.send(by: prepared.harness.anonymous)
            #expect(anonymous.outcome == "403 AccessDenied", "\(call.name)")
            let unknown = try await call.send(by: prepared.harness.client("unknown"))
            #expect(unknown.outcome == "403 InvalidAccessKeyId")
            let empty = try await prepared.harness.root.send(call.method, call.target, call.headers, call.body) {
                $0.fields["authorization"] = ""
            }
            #expect(empty.outcome == "403 AccessDenied", "an empty Authorization is none")
        }
        #expect(try await prepared.harness.contents() == before)
    }

    private static let extras = [
        "x-amz-copy-source": "bucket/key", "x-amz-acl": "private", "x-amz-meta-a": "1", "x-amz-tagging": "a=1",
        "x-amz-storage-class": "GLACIER", "x-amz-checksum-crc32": "AAAAAA==", "x-amz-security-token": "token",
        "x-amz-server-side-encryption": "AES256", "x-amz-website-redirect-location": "/x", "x-amz-unheard-of": "x",
        "x-amz-expected-bucket-owner": GatewayHarness.account, "x-amz-metadata-directive": "REPLACE",
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD", "x-amz-decoded-content-length": "1", "x-amz-date": "x",
    ]

    @Test(
        "CVE-2026-54330: an x-amz- header that is not signed has no effect but a refusal",
        arguments: extras.keys.sorted())
    func unsignedHeaders(_ name: String) async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "content")
        let value = Self.extras[name] ?? ""
        let before = try await harness.contents()
        for method in ["PUT", "DELETE", "GET"] {
            let presigned = try await harness.root.presigned(method, "/bucket/new", [:], "") { head in
                head.fields[name] = value
            }
            #expect(presigned.status >= 400, "\(presigned)")
            #expect(presigned.code == "AccessDenied" || presigned.status == 400, "\(presigned)")
            // These say how to verify, and are refused while they are read.
            guard !["x-amz-content-sha256", "x-amz-date", "x-amz-security-token"].contains(name) else { continue }
            let signed = try await harness.root.send(method, "/bucket/new", [:], "") { $0.fields[name] = value }
            #expect(signed.outcome == "403 AccessDenied", "\(signed)")
            #expect(signed.text("HeadersNotSigned") == name)
        }
        #expect(try await harness.contents() == before)
    }

    @Test("An unsigned Content-Type on a presigned PUT is accepted, as AWS does")
    func contentType() async throws {
        let harness = try await GatewayHarness.withBucket()
        let stored = try await harness.root.presigned("PUT", "/bucket/key", [:], "x") {
            $0.fields["content-type"] = "text/x"
        }
        #expect(stored.status == 200)
        #expect(try await harness.root.head("/bucket/key")["content-type"] == "text/x")
    }

    @Test("CVE-2025-68671: a signature counts for its time, and for no other")
    func time() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "x")
        let (head, _) = try harness.root.signed("GET", "/bucket/key")
        for (seconds, status) in [(0, 200), (900, 200), (901, 403), (-900, 200), (-901, 403)] {
            let now = harness.now
            harness.environment.setWallClock(now + .seconds(seconds))
            let got = await harness.handle(head, .empty)
            harness.environment.setWallClock(now)
            #expect(got.status == status, "\(seconds)")
            if status == 403 { #expect(got.code == "RequestTimeTooSkewed") }
        }
        var link = RequestHead(method: "GET", target: "/bucket/key", fields: ["host": "gateway.test"])
        let credentials = try #require(harness.root.credentials)
        try Signer(credentials: credentials, region: GatewayHarness.region)
            .presign(&link, at: harness.now, expires: 3600)
        for (seconds, status) in [(0, 200), (3600, 200), (3601, 403), (-900, 200), (-901, 403)] {
            let now = harness.now
            harness.environment.setWallClock(now + .seconds(seconds))
            let got = await harness.handle(link, .empty)
            harness.environment.setWallClock(now)
            #expect(got.status == status, "\(seconds)")
            if status == 403 { #expect(got.code == "AccessDenied") }
        }
        for expires in [0, -1, 604_801, Int64.max] {
            #expect(try await harness.root.presigned("GET", "/bucket/key", expires: expires).status == 400)
        }
    }

    @Test("cloudpods 25490: a signature for one key is none for another, however often it is encoded")
    func encodings() async throws {
        let harness = try await GatewayHarness.withBucket()
        for key in ["a b", "a%20b", "a%2520b", "a/b", "a//b", "a/../b"] {
            try await harness.root.put(path("bucket", key), Content(Array(key.utf8)))
        }
        let forms = [
            "/bucket/a%20b", "/bucket/a%2520b", "/bucket/a%252520b", "/bucket/a/b", "/bucket/a//b", "/bucket/a/../b",
        ]
        for form in forms {
            for other in forms where other != form {
                let (head, _) = try harness.root.signed("GET", form)
                var bent = head
                bent.target = other
                #expect(await harness.handle(bent, .empty).outcome == "403 SignatureDoesNotMatch", "\(form) \(other)")
            }
            let decoded = PercentCoding.decode(form.dropFirst("/bucket/".count).utf8) ?? []
            #expect(try await harness.root.get(form).body == decoded)
        }
        // The same key in another encoding is the same request.
        let (head, _) = try harness.root.signed("GET", "/bucket/a%20b")
        var same = head
        same.target = "/bucket/%61%20b"
        #expect(await harness.handle(same, .empty).text == "a b")
    }

    @Test("Bytes that differ from those that were signed are stored by no payload mode")
    func tampered() async throws {
        let harness = try await GatewayHarness.withBucket()
        let content = Content([UInt8](repeating: 0x61, count: 100_000))
        let before = try await harness.contents()
        let cases: [(S3Client.Payload, String)] = [
            (.sha256, "400 XAmzContentSHA256Mismatch"), (.signedChunks, "403 SignatureDoesNotMatch"),
            (.signedChunksWithTrailer, "403 SignatureDoesNotMatch"),
            (.unsignedChunksWithTrailer, "400 BadDigest"),
        ]
        for (payload, outcome) in cases {
            let trailer: HeaderFields = ["x-amz-checksum-crc32": "VbwGjA=="]
            let (head, bytes) = try harness.root.signed(
                "PUT", "/bucket/key", [:], content, payload: payload,
                trailer: payload == .unsignedChunksWithTrailer ? trailer : nil)
            for position in [200, bytes.count / 2, bytes.count - 300] {
                var bent = bytes
                bent[position] ^= 1
                let refused = await harness.handle(head, Body(buffers: S3Client.pieces(bent)))
                #expect(refused.outcome == outcome, "\(payload) \(position)")
            }
        }
        #expect(try await harness.contents() == before)
    }

    /// Payloads in aws-chunked framing that are none. `S` stands for 64 digits of a signature.
    private static let frames = [
        "", "0", "0\r\n", "5\r\nhello", "5\r\nhello\r\n", "5\r\nhello\r\n0\r\n", "6\r\nhello\r\n0\r\n\r\n",
        "4\r\nhello\r\n0\r\n\r\n", "-1\r\nhello\r\n0\r\n\r\n", "ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        "7fffffffffffffff\r\nhello\r\n0\r\n\r\n", "5;x=y\r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n",
        "5;chunk-signature=\r\nhello\r\n0\r\n\r\n", "5;chunk-signature=S\r\nhello\r\n0;chunk-signature=S\r\n\r\n",
        "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "5\r\nhello\r\n0\r\n\r\ntrailing",
        "\u{0}\u{0}\u{0}",
        "0x5\r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n",
        String(repeating: "0", count: 2000) + "5\r\nhello\r\n0\r\n\r\n", "5\r\n\r\n\r\n\r\n\r\n\r\n",
    ]

    @Test(
        "GHSA-v2ch-c8v8-fgr7, CVE-2022-3854: no framing brings the process down, nor an object about", arguments: frames
    )
    func malformedFrames(_ frame: String) async throws {
        let harness = try await GatewayHarness.withBucket()
        let before = try await harness.contents()
        let text = frame.split(separator: "S", omittingEmptySubsequences: false)
            .joined(separator: String(repeating: "0", count: 64))
        for payload in S3Client.Payload.allCases where payload != .sha256 && payload != .unsigned {
            var (head, _) = try harness.root.signed("PUT", "/bucket/key", [:], "hello", payload: payload)
            head.fields["content-length"] = String(text.utf8.count)
            for size in [1, 3, 1 << 16] {
                let bytes = Array(text.utf8)
                let pieces = stride(from: 0, to: bytes.count, by: size).map {
                    ByteBuffer(bytes: bytes[$0..<min($0 + size, bytes.count)])
                }
                let refused = await harness.handle(
                    head, Body(length: Int64(bytes.count), source: BufferedSource(pieces)))
                #expect((400..<500).contains(refused.status), "\(payload) \(refused)")
            }
        }
        #expect(try await harness.contents() == before)
    }

    @Test("CVE-2019-10222, CVE-2018-7262: no head brings the process down")
    func malformedHeads() async throws {
        let harness = try await GatewayHarness.withBucket()
        let values = [
            "", " ", "\u{FF}", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=", "AWS a:b", "Bearer x",
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=, Signature=", String(repeating: ",", count: 5000),
            "AWS4-HMAC-SHA256 Credential=KEY-root/20231114/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=x",
        ]
        for value in values {
            for name in [
                "authorization", "x-amz-date", "x-amz-content-sha256", "content-length", "range", "host",
                "x-amz-decoded-content-length", "x-amz-trailer", "x-amz-copy-source", "content-md5", "if-match",
            ] {
                let answer = try await harness.root.send("PUT", "/bucket/key", [:], "x") { $0.fields[name] = value }
                #expect((200..<502).contains(answer.status))
            }
        }
        for target in [
            "/%", "/%0", "/%zz", "/bucket/%", "/bucket?%", "/bucket?a=%f", "/%ff", "/bucket/%c3", "/?%ff=1",
            "/bucket?versionId=1&versionId=2", "//", "/bucket//", "/?", "/?&&&", "/bucket?=", "/bucket?=x",
        ] {
            let answer = try await harness.anonymous.get(target)
            #expect([400, 403, 404].contains(answer.status), "\(target): \(answer.status)")
        }
    }
}
