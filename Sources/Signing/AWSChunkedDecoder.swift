import Cryptography
import NIOCore
import Primitives

/// The framing `aws-chunked`, as a state machine without I/O.
///
///     chunk   = size-in-hex [";chunk-signature=" 64-hex-digits] CRLF bytes CRLF
///     payload = *chunk last-chunk-line *(trailer-line CRLF) CRLF
///
/// A signed chunk is delivered only once it was verified, so up to one of them is held. An unsigned one passes as it
/// comes.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>
struct AWSChunkedDecoder: Sendable {
    enum Step {
        case bytes(ByteBuffer)
        case needsMore
        /// Everything came and was verified; these are the fields of the trailer.
        case end(HeaderFields)
    }

    private enum State {
        case chunkHead
        case signedChunk(length: Int, signature: String)
        case unsignedChunk(remaining: Int)
        case chunkEnd
        case trailer
        case end
    }

    /// The largest chunk whose signature we hold bytes for, 16 MiB.
    static let maximumSignedChunk = 16 << 20
    /// The longest line before a chunk, or of a trailer, in bytes.
    static let maximumLine = 1024

    private let signed: Bool
    private var signatures: ChunkSignatures?
    private var trailer: TrailerParser?
    private var remaining: Int64
    private var state = State.chunkHead
    private var input = ByteBuffer()

    /// - Parameters:
    ///   - length: how many bytes the chunks must hold together, exactly.
    ///   - signatures: the chain, where chunks are signed.
    ///   - trailerNames: the announced names, where the mode has a trailer.
    init(length: Int64, signatures: ChunkSignatures?, trailerNames: [String]?) {
        remaining = length
        signed = signatures != nil
        self.signatures = signatures
        trailer = trailerNames.map { TrailerParser(names: $0, isSigned: signatures != nil) }
    }

    /// Gives it more bytes of the framed payload.
    mutating func append(_ buffer: ByteBuffer) {
        guard input.readableBytes > 0 else {
            input = buffer
            return
        }
        var buffer = buffer
        // What was read is dropped before it outgrows what is kept, so that the copy costs no more than the bytes
        // appended.
        if input.readerIndex > input.readableBytes { input.discardReadBytes() }
        input.writeBuffer(&buffer)
    }

    /// The next step that the bytes so far allow.
    ///
    /// - Throws: `BodyError` of kind `malformed`, `incomplete` where the chunks hold fewer bytes than announced,
    ///   `tooLarge` where they hold more or one is too large, `signatureMismatch`, `malformedTrailer`.
    mutating func next() throws(BodyError) -> Step {
        while true {
            switch state {
            case .chunkHead:
                guard let line = try line() else { return .needsMore }
                try beginChunk(line)
            case .signedChunk(let length, let signature):
                guard let chunk = try signedChunk(length: length, signature: signature) else { return .needsMore }
                if chunk.readableBytes > 0 { return .bytes(chunk) }
            case .unsignedChunk(let rest):
                guard let piece = input.readSlice(length: min(rest, input.readableBytes)), piece.readableBytes > 0
                else { return .needsMore }
                let left = rest - piece.readableBytes
                state = left > 0 ? .unsignedChunk(remaining: left) : .chunkEnd
                return .bytes(piece)
            case .chunkEnd:
                guard input.readableBytes >= 2 else { return .needsMore }
                try expectLineEnd()
                state = .chunkHead
            case .trailer:
                guard let line = try line() else { return .needsMore }
                try readTrailer(line)
            case .end:
                guard input.readableBytes == 0 else { throw .malformedChunk("Bytes follow the last chunk.") }
                return .end(trailer?.fields ?? HeaderFields())
            }
        }
    }

    private mutating func beginChunk(_ line: [UInt8]) throws(BodyError) {
        let head = try ChunkHead(line, signed: signed)
        guard Int64(head.length) <= remaining else {
            throw BodyError(.tooLarge, "The chunks hold more than x-amz-decoded-content-length says.")
        }
        if head.length == 0, remaining > 0 {
            throw BodyError(.incomplete, "The chunks hold fewer bytes than x-amz-decoded-content-length says.")
        }
        remaining -= Int64(head.length)
        if let signature = head.signature {
            guard head.length <= Self.maximumSignedChunk else {
                throw BodyError(.tooLarge, "A signed chunk may have at most \(Self.maximumSignedChunk) bytes.")
            }
            state = .signedChunk(length: head.length, signature: signature)
        } else {
            state = head.length > 0 ? .unsignedChunk(remaining: head.length) : .trailer
        }
    }

    /// The verified chunk, once it is there with its line end; empty for the last one, which has no bytes and no line
    /// end.
    private mutating func signedChunk(length: Int, signature: String) throws(BodyError) -> ByteBuffer? {
        guard length == 0 || input.readableBytes >= length + 2 else { return nil }
        guard let chunk = input.readSlice(length: length) else { return nil }
        guard signatures?.verify(signature, chunkSHA256: Digest.hash(.sha256, chunk)) == true else {
            throw BodyError(.signatureMismatch, "The signature of a chunk does not match.")
        }
        if length > 0 { try expectLineEnd() }
        state = length > 0 ? .chunkHead : .trailer
        return chunk
    }

    /// A trailer line; the empty one ends the payload.
    private mutating func readTrailer(_ line: [UInt8]) throws(BodyError) {
        guard !line.isEmpty else {
            try trailer?.finish(&signatures)
            state = .end
            return
        }
        guard trailer != nil else { throw .malformedChunk("A trailer came in a payload that has none.") }
        try trailer?.append(line)
    }

    /// A line without its CRLF, once it is there.
    private mutating func line() throws(BodyError) -> [UInt8]? {
        let window = input.readableBytesView.prefix(Self.maximumLine)
        guard let end = window.firstIndex(of: 0x0A) else {
            guard window.count < Self.maximumLine else { throw .malformedChunk("A line is too long.") }
            return nil
        }
        let text = window[..<end]
        if text.last == 0x0D {
            input.moveReaderIndex(forwardBy: text.count + 1)
            return Array(text.dropLast())
        }
        // Some clients (minio-go) end the field of a trailer with a line feed of its own before the line's end.
        guard case .trailer = state else { throw .malformedChunk("A line does not end with CRLF.") }
        guard input.readableBytes >= text.count + 3 else { return nil }
        input.moveReaderIndex(forwardBy: text.count + 1)
        try expectLineEnd()
        return Array(text)
    }

    private mutating func expectLineEnd() throws(BodyError) {
        guard input.readBytes(length: 2) == [0x0D, 0x0A] else {
            throw .malformedChunk("A chunk does not end with CRLF.")
        }
    }
}
