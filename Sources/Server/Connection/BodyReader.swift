import NIOCore

/// Takes a request's body off the bytes of its connection.
enum BodyReader: Sendable {
    /// This many bytes are still to come.
    case length(Int64)
    case chunked(ChunkedDecoder)

    init(_ framing: BodyFraming) {
        switch framing {
        case .none: self = .length(0)
        case .length(let length): self = .length(length)
        case .chunked: self = .chunked(ChunkedDecoder())
        }
    }

    /// Takes the next piece out of the buffer, without copying.
    ///
    /// - Throws: `RequestRefusal` for chunked framing that does not parse.
    mutating func next(_ buffer: inout ByteBuffer) throws(RequestRefusal) -> ChunkedDecoder.Output {
        switch self {
        case .length(let remaining):
            guard remaining > 0 else { return .end }
            let count = Int(min(remaining, Int64(buffer.readableBytes)))
            guard count > 0, let bytes = buffer.readSlice(length: count) else { return .needsMore }
            self = .length(remaining - Int64(count))
            return .bytes(bytes)
        case .chunked(var decoder):
            self = .length(0)  // so that the decoder is not copied while it is changed
            defer { self = .chunked(decoder) }
            return try decoder.next(&buffer)
        }
    }

    /// The bytes that are still to come, or nil where only reading them tells.
    var remaining: Int64? {
        switch self {
        case .length(let remaining): remaining
        case .chunked: nil
        }
    }
}
