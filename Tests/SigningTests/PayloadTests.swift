import Cryptography
import NIOCore
import Primitives
import Signing
import Testing

@Suite("Payloads")
struct PayloadTests {
    /// A request in a framed mode, verified, and how its payload is to be read.
    private func verification(
        _ mode: PayloadMode, length: Int?, trailer: String? = nil
    ) throws -> (PayloadVerification, ChunkSignatures) {
        var fields: HeaderFields = [:]
        if let length { fields["x-amz-decoded-content-length"] = String(length) }
        if let trailer { fields["x-amz-trailer"] = trailer }
        var head = Example.head("PUT", fields: fields)
        let signatures = try Example.signer.sign(&head, payload: mode, at: Example.now)
        let key = try Example.verify(head)
        let presented = try Example.presented(head)
        return (try PayloadVerification(head: head, presented: presented, signingKey: key), signatures)
    }

    /// The payload, its trailer, or the kind of error, when the framed bytes come in pieces of a size.
    private func read(
        _ verification: PayloadVerification, _ framed: [UInt8], pieces: Int = 1 << 20
    ) async -> Result<Payload, BodyError> {
        let buffers = stride(from: 0, to: framed.count, by: pieces).map { start in
            ByteBuffer(bytes: framed[start..<min(start + pieces, framed.count)])
        }
        let wrapped = verification.wrap(Body(buffers: buffers))
        let box = wrapped.trailer
        do throws(BodyError) {
            let bytes = try await wrapped.takeBody().collect(limit: 64 << 20)
            return .success(Payload(bytes: Array(bytes.readableBytesView), trailer: box?.fields))
        } catch {
            return .failure(error)
        }
    }

    private struct Payload: Equatable {
        var bytes: [UInt8]
        var trailer: HeaderFields?
    }

    private func kind(_ result: Result<Payload, BodyError>) -> BodyError.Kind? {
        guard case .failure(let error) = result else { return nil }
        return error.kind
    }

    private func framed(_ chunks: [[UInt8]], _ signatures: ChunkSignatures?, trailer: HeaderFields? = nil) -> [UInt8] {
        var encoder = AWSChunkedEncoder(signatures: signatures)
        var bytes: [UInt8] = []
        for chunk in chunks { bytes += encoder.chunk(chunk) }
        return bytes + encoder.end(trailer: trailer)
    }

    private let chunks: [[UInt8]] = [
        Array(repeating: 1, count: 8192), Array(repeating: 2, count: 8192), [3], Array(repeating: 4, count: 100),
    ]
    private let trailer: HeaderFields = ["x-amz-checksum-crc32": "AAAAAA=="]

    @Test(
        "come out whole, whatever the pieces in which they arrive",
        arguments: [1, 2, 3, 7, 64, 1000, 8192, 8277, 1 << 20])
    func pieces(_ size: Int) async throws {
        let all = Array(chunks.joined())
        let (signed, chain) = try verification(.signedChunks, length: all.count)
        let plain = await read(signed, framed(chunks, chain), pieces: size)
        #expect(plain == .success(Payload(bytes: all, trailer: nil)))
        let name = "x-amz-checksum-crc32"
        let (trailing, chain2) = try verification(.signedChunksWithTrailer, length: all.count, trailer: name)
        let withTrailer = await read(trailing, framed(chunks, chain2, trailer: trailer), pieces: size)
        #expect(withTrailer == .success(Payload(bytes: all, trailer: trailer)))
        let (unsigned, _) = try verification(.unsignedChunksWithTrailer, length: all.count, trailer: name)
        let unsignedTrailer = await read(unsigned, framed(chunks, nil, trailer: trailer), pieces: size)
        #expect(unsignedTrailer == .success(Payload(bytes: all, trailer: trailer)))
    }

    @Test("match the example that AWS publishes for signed chunks")
    func publishedChunks() throws {
        let secret = SecretKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        let key = SigningKey(secret: secret, scope: CredentialScope(date: "20130524", region: "us-east-1"))
        let date = try #require(Timestamp(iso8601Basic: "20130524T000000Z"))
        let seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
        var chain = ChunkSignatures(key: key, date: date, seed: seed)
        let a = { Digest.hash(.sha256, [UInt8](repeating: UInt8(ascii: "a"), count: $0)) }
        #expect(
            [chain.sign(chunkSHA256: a(65_536)), chain.sign(chunkSHA256: a(1024)), chain.sign(chunkSHA256: a(0))] == [
                "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
                "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
                "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
            ])
    }

    @Test("match the example that AWS publishes for a signed trailer")
    func publishedTrailer() throws {
        let secret = SecretKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        let key = SigningKey(secret: secret, scope: CredentialScope(date: "20130524", region: "us-east-1"))
        let date = try #require(Timestamp(iso8601Basic: "20130524T000000Z"))
        let seed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
        var chain = ChunkSignatures(key: key, date: date, seed: seed)
        let a = { Digest.hash(.sha256, [UInt8](repeating: UInt8(ascii: "a"), count: $0)) }
        var signatures = [
            chain.sign(chunkSHA256: a(65_536)), chain.sign(chunkSHA256: a(1024)), chain.sign(chunkSHA256: a(0)),
        ]
        signatures.append(chain.sign(trailer: ["x-amz-checksum-crc32c": "sOO8/Q=="]))
        #expect(
            signatures == [
                "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
                "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
                "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
                "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435",
            ])
    }

    @Test("of one chunk are compared with the hash that was signed")
    func singleChunk() async throws {
        let bytes = Array("payload".utf8)
        let (right, _) = try verification(.sha256(Digest.hash(.sha256, bytes)), length: nil)
        #expect(await read(right, bytes, pieces: 3) == .success(Payload(bytes: bytes, trailer: nil)))
        let wrong = await read(right, Array("Payload".utf8))
        #expect(kind(wrong) == .contentSHA256Mismatch)
        #expect(kind(await read(right, [])) == .contentSHA256Mismatch)
        let (unsigned, _) = try verification(.unsigned, length: nil)
        #expect(await read(unsigned, bytes) == .success(Payload(bytes: bytes, trailer: nil)))
    }

    @Test("No byte of a signed chunk is delivered before its signature was verified")
    func verifiedFirst() async throws {
        let (verification, chain) = try verification(.signedChunks, length: 20)
        var bytes = framed([Array(repeating: 1, count: 10), Array(repeating: 2, count: 10)], chain)
        bytes[bytes.count - 85 - 7] ^= 1
        let wrapped = verification.wrap(Body(bytes))
        var body = wrapped.takeBody()
        #expect(try await body.next()?.readableBytes == 10)
        await #expect(throws: BodyError(.signatureMismatch, "The signature of a chunk does not match.")) {
            try await body.next()
        }
    }

    @Test("No change of a framed and signed payload goes unnoticed")
    func everyByteCounts() async throws {
        let small: [[UInt8]] = [[1, 2, 3], [4]]
        let (verification, chain) = try verification(
            .signedChunksWithTrailer, length: 4, trailer: "x-amz-checksum-crc32")
        let right = framed(small, chain, trailer: trailer)
        #expect(await read(verification, right) == .success(Payload(bytes: [1, 2, 3, 4], trailer: trailer)))
        for index in right.indices {
            for bit in [UInt8(1), 4, 0x20, 0x80] {
                var wrong = right
                wrong[index] ^= bit
                let result = await read(verification, wrong)
                // Names of trailer fields have no case.
                if case .success(let payload) = result {
                    #expect(payload == Payload(bytes: [1, 2, 3, 4], trailer: trailer), "byte \(index)")
                    #expect(bit == 0x20, "byte \(index)")
                }
            }
        }
        for count in right.indices {
            #expect(kind(await read(verification, Array(right.prefix(count)))) != nil, "\(count) bytes")
        }
        #expect(kind(await read(verification, right + [0])) == .malformed)
        #expect(kind(await read(verification, right + right)) == .malformed)
    }

    @Test("Chunks that are swapped, repeated or left out break the chain")
    func chain() async throws {
        let (verification, chain) = try verification(.signedChunks, length: 24)
        let parts = (0..<3).map { [UInt8](repeating: UInt8($0), count: 8) }
        var encoder = AWSChunkedEncoder(signatures: chain)
        let framed = parts.map { encoder.chunk($0) }
        let end = encoder.end(trailer: nil)
        let good = await read(verification, Array(framed.joined()) + end)
        #expect(kind(good) == nil)
        for order in [[1, 0, 2], [0, 0, 1], [0, 2, 1], [2, 1, 0], [1, 1, 1]] {
            let result = await read(verification, order.flatMap { framed[$0] } + end)
            #expect(kind(result) == .signatureMismatch)
        }
        let short = await read(verification, framed[0] + framed[1] + end)
        #expect(kind(short) == .incomplete)
    }

    @Test(
        "Framing that is not exact is refused",
        arguments: [
            ("", .incomplete), ("0\r\n\r\n", .incomplete), ("4\r\nabcd\r\n", .incomplete), ("4\r\nab", .incomplete),
            ("4\r\nabcd\r\n0\r\n", .incomplete), ("5\r\nabcde\r\n0\r\n\r\n", .tooLarge),
            ("4\r\nabcd\r\n1\r\ne\r\n0\r\n\r\n", .tooLarge), ("3\r\nabc\r\n0\r\n\r\n", .incomplete),
            ("fffffffffffffff\r\n", .tooLarge), ("ffffffffffffffff\r\n", .malformed), ("-4\r\nabcd", .malformed),
            ("\r\nabcd", .malformed), ("4 \r\nabcd\r\n", .malformed), ("0x4\r\nabcd\r\n", .malformed),
            ("4;a=b\r\nabcd\r\n0\r\n\r\n", .malformed), ("4\nabcd\r\n0\r\n\r\n", .malformed), ("g\r\n", .malformed),
            ("4\r\nabcdX\r\n0\r\n\r\n", .malformed), ("4\r\nabcd\n0\r\n\r\n", .malformed),
            ("4\r\nabcd\r\n0\r\n\r\nx", .malformed),
            ("4\r\nabcd\r\n0\r\nx-amz-checksum-crc32:a\r\n\r\n", .malformedTrailer),
            (String(repeating: "0", count: 5000), .malformed), ("4\r\nabcd\r\n0\r\n:\r\n\r\n", .malformedTrailer),
            ("4\r\nabcd\r\n0\r\nnothing\r\n\r\n", .malformedTrailer), ("4\r\nabcd\r\n0\r\n\n", .incomplete),
            ("4\r\nabcd\r\n0\r\n" + String(repeating: "a", count: 5000), .malformed),
        ] as [(String, BodyError.Kind)])
    func grammar(_ text: String, _ expected: BodyError.Kind) async throws {
        let (verification, _) = try verification(.unsignedChunksWithTrailer, length: 4)
        for size in [1, 1000] {
            let result = await read(verification, Array(text.utf8), pieces: size)
            #expect(kind(result) == expected)
        }
        let right = await read(verification, Array("4\r\nabcd\r\n0\r\n\r\n".utf8))
        #expect(kind(right) == nil)
    }

    @Test("The trailer that is announced must come, once, and no other")
    func trailers() async throws {
        let name = "x-amz-checksum-crc32"
        let (verification, _) = try verification(.unsignedChunksWithTrailer, length: 1, trailer: name)
        func result(_ lines: String) async -> BodyError.Kind? {
            kind(await read(verification, Array("1\r\na\r\n0\r\n\(lines)\r\n".utf8), pieces: 5))
        }
        #expect(await result("\(name):x\r\n") == nil)
        #expect(await result("X-Amz-Checksum-CRC32 : x\r\n") == .malformedTrailer)
        #expect(await result("X-Amz-Checksum-CRC32: x \r\n") == nil)
        #expect(await result("\(name):x\n\r\n") == nil, "as minio-go ends it")
        #expect(await result("") == .malformedTrailer)
        #expect(await result("\(name):x\r\n\(name):x\r\n") == .malformedTrailer)
        #expect(await result("\(name):x\r\nx-amz-meta-a:x\r\n") == .malformedTrailer)
        #expect(await result("x-amz-trailer-signature:\(String(repeating: "0", count: 64))\r\n") == .malformedTrailer)
        #expect(await result("\(name):a\u{7}\r\n") == .malformedTrailer)
        let (signed, chain) = try self.verification(.signedChunksWithTrailer, length: 1, trailer: name)
        var encoder = AWSChunkedEncoder(signatures: chain)
        let start = encoder.chunk([1])
        let end = encoder.end(trailer: trailer)
        #expect(kind(await read(signed, start + end)) == nil)
        // The trailer's signature is left out: 24 bytes of name and colon, 64 digits, CRLF, before the last CRLF.
        let unsigned = await read(signed, start + Array(end.dropLast(92)) + [0x0D, 0x0A])
        #expect(kind(unsigned) == .malformedTrailer)
    }

    @Test("Heads whose framing cannot be obeyed are refused before the body is read")
    func heads() throws {
        func code(_ fields: HeaderFields, presented: Bool = true) throws -> String? {
            let mode = try PayloadMode(headerValue: fields["x-amz-content-sha256"] ?? "UNSIGNED-PAYLOAD")
            var head = Example.head("PUT", fields: fields)
            head.fields["x-amz-content-sha256"] = nil
            try Example.signer.sign(&head, payload: mode, at: Example.now)
            let claim = presented ? try Example.presented(head) : nil
            let key = presented ? try Example.verify(head) : nil
            do throws(SigningError) {
                _ = try PayloadVerification(head: head, presented: claim, signingKey: key)
                return nil
            } catch {
                return error.code
            }
        }
        let mode = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        func framed(_ length: String, _ more: HeaderFields = [:]) -> HeaderFields {
            HeaderFields(
                [
                    .init(name: "x-amz-content-sha256", value: mode),
                    .init(name: "x-amz-decoded-content-length", value: length),
                ]
                    + more.fields)
        }
        #expect(try code(["x-amz-content-sha256": mode]) == "MissingContentLength")
        #expect(try code(framed("0")) == nil)
        for length in ["", "-1", "+1", "1e3", "0x10", "９", "9999999999999999999", "1 "] {
            #expect(try code(framed(length)) == "InvalidArgument", "\(length)")
        }
        #expect(try code(framed("5368709120")) == nil)
        #expect(try code(framed("5368709121")) == "EntityTooLarge")
        #expect(try code(framed("1", ["x-amz-decoded-content-length": "2"])) == "InvalidArgument")
        #expect(try code(framed("1", ["x-amz-trailer": "x-amz-checksum-crc32"])) == nil)
        for names in [
            "content-type", "x-amz-meta-a", "x-amz-checksum-crc32,x-amz-checksum-crc32",
            "x-amz-checksum-crc32,x-amz-acl",
        ] {
            #expect(try code(framed("1", ["x-amz-trailer": names])) == "InvalidRequest", "\(names)")
        }
        #expect(try code(["x-amz-trailer": "x-amz-checksum-crc32"]) == "InvalidRequest")
        let chunks = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
        let fields: HeaderFields = ["x-amz-content-sha256": chunks, "x-amz-decoded-content-length": "1"]
        #expect(try code(fields) == nil)
        #expect(try code(fields, presented: false) == "AccessDenied")
        #expect(try code(framed("1"), presented: false) == nil)
    }

    @Test("A signed chunk is at most 16 MiB")
    func largeChunk() async throws {
        let (verification, _) = try verification(.signedChunks, length: 17 << 20)
        let head = "1000001;chunk-signature=" + String(repeating: "0", count: 64) + "\r\n"
        #expect(kind(await read(verification, Array(head.utf8))) == .tooLarge)
        #expect(kind(await read(verification, Array("1000000\(head.dropFirst(7))".utf8))) == .incomplete)
    }

    @Test("GHSA-v2ch-c8v8-fgr7: no aws-chunked bytes crash the decoder", arguments: 0..<20)
    func noise(_ seed: UInt64) async throws {
        var noise = Noise(seed)
        let (unsigned, _) = try verification(.unsignedChunksWithTrailer, length: 1000, trailer: "x-amz-checksum-crc32")
        let (signed, _) = try verification(.signedChunksWithTrailer, length: 1000)
        let signature = "chunk-signature=" + String(repeating: "a", count: 64)
        let pieces = [
            "0", "5", "ff", "7fffffffffffffff", "8000000000000000", "ffffffffffffffff", "-1", "\r\n", "\r", "\n", ";",
            signature,
            "chunk-signature=", "abcde", "x-amz-checksum-crc32:", "x-amz-trailer-signature:", "\u{0}", "\u{FEFF}",
            "\u{301}",
        ]
        for _ in 0..<60 {
            let text = (0..<noise.next(20)).map { _ in pieces[noise.next(pieces.count)] }.joined()
            for verification in [unsigned, signed] {
                #expect(kind(await read(verification, Array(text.utf8), pieces: 1 + noise.next(9))) != nil)
            }
        }
    }
}
