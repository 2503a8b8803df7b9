package import Primitives

/// How the payload of one request is to be read and checked, as its head says.
///
/// It is made from the head alone, so that a request whose head is wrong is refused before a byte of its body is asked
/// for.
package struct PayloadVerification: Sendable {
    /// A body that checks itself, and where its trailer will stand.
    package struct Wrapped: ~Copyable, Sendable {
        private let body: Body
        /// Nil where the mode has no trailer.
        package let trailer: TrailerBox?

        init(body: consuming Body, trailer: TrailerBox?) {
            self.body = body
            self.trailer = trailer
        }

        /// The payload without its framing. A check that fails throws out of its `next()`, before nil was answered.
        package consuming func takeBody() -> Body {
            body
        }
    }

    package static let decodedLengthHeader = "x-amz-decoded-content-length"
    package static let trailerHeader = "x-amz-trailer"
    /// The largest object that one request may carry, by S3's limit: 5 GiB.
    package static let maximumLength: Int64 = 5 << 30

    package let mode: PayloadMode
    /// The payload's length without framing, where it is framed.
    package let decodedLength: Int64?
    /// The trailer's announced names, in lower case.
    package let trailerNames: [String]
    private let signatures: ChunkSignatures?

    /// - Parameters:
    ///   - presented: the verified claim; nil for an anonymous request, whose mode is read from the header alone.
    ///   - signingKey: the key that verified it.
    /// - Throws: `MissingContentLength` without `x-amz-decoded-content-length` in a framed mode, `InvalidArgument`
    ///   where it is no number or the mode is none, `EntityTooLarge`, `InvalidRequest` for a trailer that S3 does not
    ///   know, `AccessDenied` for signed chunks without a signer.
    package init(
        head: RequestHead, presented: PresentedSignature?, signingKey: SigningKey?
    ) throws(SigningError) {
        let mode = try Self.mode(head: head, presented: presented)
        self.mode = mode
        trailerNames = try Self.trailerNames(head, mode: mode)
        decodedLength = mode.isChunked ? try Self.decodedLength(head) : nil
        if mode.signsChunks {
            guard let presented, let signingKey else { throw .accessDenied("Access Denied") }
            signatures = ChunkSignatures(key: signingKey, date: presented.date, seed: presented.signature)
        } else {
            signatures = nil
        }
    }

    /// Puts the checks around a body.
    package consuming func wrap(_ body: consuming Body) -> Wrapped {
        switch mode {
        case .unsigned:
            return Wrapped(body: body, trailer: nil)
        case .sha256(let digest):
            let length = body.length
            let source = SHA256CheckedSource(expected: digest, source: body.takeSource())
            return Wrapped(body: Body(length: length, source: source), trailer: nil)
        case .signedChunks, .signedChunksWithTrailer, .unsignedChunksWithTrailer:
            let box = mode.hasTrailer ? TrailerBox() : nil
            let decoder = AWSChunkedDecoder(
                length: decodedLength ?? 0, signatures: signatures,
                trailerNames: mode.hasTrailer ? trailerNames : nil)
            let source = AWSChunkedSource(source: body.takeSource(), decoder: decoder, trailer: box)
            return Wrapped(body: Body(length: decodedLength, source: source), trailer: box)
        }
    }

    private static func mode(
        head: RequestHead, presented: PresentedSignature?
    ) throws(SigningError) -> PayloadMode {
        if let payload = presented?.payload { return payload }
        guard let value = try SignatureV4Request.single(PayloadMode.headerName, in: head) else { return .unsigned }
        return try PayloadMode(headerValue: value)
    }

    private static func decodedLength(_ head: RequestHead) throws(SigningError) -> Int64 {
        guard let text = try SignatureV4Request.single(decodedLengthHeader, in: head) else {
            throw SigningError(
                "MissingContentLength", 411, "You must provide the Content-Length HTTP header.")
        }
        guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = Int64(text)
        else {
            throw .invalidArgument(
                "\(decodedLengthHeader) must be a number of bytes.", name: decodedLengthHeader, value: text)
        }
        guard length <= maximumLength else {
            throw SigningError(
                "EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size",
                [.init("ProposedSize", String(length)), .init("MaxSizeAllowed", String(maximumLength))])
        }
        return length
    }

    /// The names in `x-amz-trailer`. S3 takes checksums alone.
    private static func trailerNames(_ head: RequestHead, mode: PayloadMode) throws(SigningError) -> [String] {
        var names: [String] = []
        for value in head.fields.values(trailerHeader) {
            for piece in value.utf8.split(separator: UInt8(ascii: ","), maxSplits: 8) {
                let name = String(decoding: Array(piece), as: UTF8.self).lowercased().trimmingSpaces
                guard name.utf8.starts(with: "x-amz-checksum-".utf8), names.count < 4, !names.contains(name) else {
                    throw .invalidRequest("The value specified in the x-amz-trailer header is not supported")
                }
                names.append(name)
            }
        }
        guard names.isEmpty || mode.hasTrailer else {
            throw .invalidRequest(
                "The x-amz-trailer header needs an x-amz-content-sha256 that announces a trailer.")
        }
        return names
    }
}

extension String {
    /// The text without spaces and tabs at its ends.
    var trimmingSpaces: String {
        var rest = self[...].utf8
        while rest.first == 0x20 || rest.first == 0x09 { rest.removeFirst() }
        while rest.last == 0x20 || rest.last == 0x09 { rest.removeLast() }
        return String(Substring(rest))
    }
}
