import NIOCore
import Primitives
import Signing

extension FuzzTarget {
    /// The framing of AWS, of each kind. The first byte chooses the kind and whether what follows is framed already, or
    /// is to be framed, signed and then changed: no change may make another payload of a signed one.
    static let awsChunked = FuzzTarget("aws-chunked") {
        var examples: [Example] = []
        for (kind, payload) in AWSChunkedPayload.modes.enumerated() {
            let payloads = AWSChunkedPayload(mode: payload)
            let framed = try payloads.frame(Array("hello, framing".utf8), chunk: 5)
            examples.append(Example("framed-\(kind)", [UInt8(kind), 3, 0, 14] + framed))
            examples.append(Example("to-frame-\(kind)", [UInt8(kind) | 4, 3, 4, 0, 0, 0, 0] + "hello, framing".utf8))
            examples.append(Example("changed-\(kind)", [UInt8(kind) | 4, 1, 4, 1, 0, 5, 1] + "hello, framing".utf8))
        }
        return examples
    } run: { bytes in
        var reader = InputReader(bytes)
        let choice = reader.byte()
        let payload = AWSChunkedPayload(mode: AWSChunkedPayload.modes[Int(choice & 3) % 3])
        let size = max(1, Int(reader.byte()))
        return choice & 4 == 0
            ? try payload.checkFramed(&reader, piecesOf: size) : try payload.checkChanged(&reader, piecesOf: size)
    }
}

/// One kind of framed payload, and the signature that it is chained to.
private struct AWSChunkedPayload {
    static let modes: [PayloadMode] = [.unsignedChunksWithTrailer, .signedChunks, .signedChunksWithTrailer]
    private static let trailer: HeaderFields = ["x-amz-checksum-crc32": "AAAAAA=="]

    let mode: PayloadMode

    private struct Outcome: Equatable {
        var bytes: [UInt8] = []
        var failure: BodyError.Kind?
        var trailer: HeaderFields?
    }

    private func signed(length: Int) throws -> (RequestHead, PresentedSignature, ChunkSignatures) {
        var fields: HeaderFields = ["host": "h", "x-amz-decoded-content-length": String(length)]
        if mode.hasTrailer { fields.append("x-amz-trailer", "x-amz-checksum-crc32") }
        var head = RequestHead(method: "PUT", target: "/bucket/key", fields: fields)
        let signatures = try SigningExample.signer.sign(&head, payload: mode, at: SigningExample.now)
        guard case .version4(let presented)? = try RequestSignature.parse(head: head, allowsVersion2: false) else {
            throw BrokenProperty(description: "a signed request that claims nothing")
        }
        return (head, presented, signatures)
    }

    /// The payload as a client frames it.
    func frame(_ payload: [UInt8], chunk: Int) throws -> [UInt8] {
        let (_, _, signatures) = try signed(length: payload.count)
        var encoder = AWSChunkedEncoder(signatures: mode.signsChunks ? signatures : nil)
        let chunks = pieces(of: payload, size: chunk).filter { $0.readableBytes > 0 }
        return chunks.flatMap { encoder.chunk(Array($0.readableBytesView)) }
            + encoder.end(trailer: mode.hasTrailer ? Self.trailer : nil)
    }

    private func decode(_ framed: [UInt8], length: Int, piecesOf size: Int) throws -> Outcome {
        let (head, presented, _) = try signed(length: length)
        let verification = try PayloadVerification(
            head: head, presented: presented, signingKey: SigningExample.signer.key(at: SigningExample.now))
        return try immediately {
            let wrapped = verification.wrap(Body(buffers: pieces(of: framed, size: size)))
            let box = wrapped.trailer
            var body = wrapped.takeBody()
            var outcome = Outcome()
            do throws(BodyError) {
                while let bytes = try await body.next() { outcome.bytes += bytes.readableBytesView }
                outcome.trailer = box?.fields
            } catch {
                outcome.failure = error.kind
            }
            return outcome
        }
    }

    /// Bytes as they come, and the length that the head announces.
    func checkFramed(_ reader: inout InputReader, piecesOf size: Int) throws -> Bool {
        let length = reader.number()
        let framed = Array(reader.rest)
        let whole = try decode(framed, length: length, piecesOf: .max)
        try require(whole.bytes.count <= length, "more bytes than announced")
        let cut = try decode(framed, length: length, piecesOf: size)
        try require(cut == whole, "another outcome in pieces of \(size)")
        guard whole.failure == nil else { return false }
        try require(whole.bytes.count == length, "fewer bytes than announced")
        return true
    }

    /// A payload that is framed, and perhaps changed on its way.
    func checkChanged(_ reader: inout InputReader, piecesOf size: Int) throws -> Bool {
        let chunk = max(1, Int(reader.byte()))
        var changes = reader
        _ = reader.take(4)
        let payload = Array(reader.rest.prefix(4096))
        let framed = try frame(payload, chunk: chunk)
        let sent = ByteChange.apply(&changes, to: framed)
        let outcome = try decode(sent, length: payload.count, piecesOf: size)
        if sent == framed {
            try require(outcome.failure == nil && outcome.bytes == payload, "a payload that does not come through")
        }
        if mode.signsChunks {
            try require(payload.starts(with: outcome.bytes), "bytes that nobody signed")
            if outcome.failure == nil, mode.hasTrailer {
                try require(outcome.trailer == Self.trailer, "a trailer that nobody signed")
            }
        }
        guard outcome.failure == nil else { return false }
        try require(outcome.bytes.count == payload.count, "another length than announced")
        return true
    }
}

/// A key of its own, and a time in which it counts.
enum SigningExample {
    static let secret = SecretKey("a secret of the fuzzer alone")
    static let accessKeyID = "FUZZER"
    static let region = "us-east-1"
    static let now = Timestamp(seconds: 1_700_000_000)
    static let signer = Signer(
        credentials: SigningCredentials(accessKeyID: accessKeyID, secret: secret), region: region)
}
