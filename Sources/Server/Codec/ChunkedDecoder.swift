package import NIOCore

/// Takes the chunked coding off a body (RFC 9112 §7.1), strictly and in bounded memory.
///
/// Chunk extensions are skipped and trailers dropped, both within limits (CVE-2023-39326 is what a server without them
/// suffers); what S3 calls trailers travels inside the body, in aws-chunked framing.
package struct ChunkedDecoder: Equatable, Sendable {
    package enum Output: Equatable, Sendable {
        /// Bytes of the body, never none; they share the storage of what was fed.
        case bytes(ByteBuffer)
        /// All that was fed is used up.
        case needsMore
        /// The body is whole; what follows in the buffer is the next request.
        case end
    }

    private enum Phase: Equatable {
        case size
        case data(remaining: Int64)
        case dataEnd
        case trailer
        case end
    }

    /// The bytes of a chunk's size line, ending excluded.
    private static let sizeLineLimit = 256
    /// The bytes of all trailer fields.
    private static let trailerLimit = 8192
    /// What chunk extensions may take beyond as much as the data itself.
    private static let extensionAllowance: Int64 = 16384

    private var phase = Phase.size
    private var trailerBytes = 0
    private var dataBytes: Int64 = 0
    private var extensionBytes: Int64 = 0

    package init() {}

    /// Takes the next piece out of the buffer.
    ///
    /// - Throws: `RequestRefusal` for framing that does not parse or is above a limit.
    package mutating func next(_ buffer: inout ByteBuffer) throws(RequestRefusal) -> Output {
        while true {
            switch phase {
            case .size:
                guard let length = try line(buffer, limit: Self.sizeLineLimit) else { return .needsMore }
                let size = try readSize(buffer, length: length)
                buffer.moveReaderIndex(forwardBy: length + 2)
                phase = size == 0 ? .trailer : .data(remaining: size)
            case .data(let remaining):
                let count = Int(min(remaining, Int64(buffer.readableBytes)))
                guard count > 0, let bytes = buffer.readSlice(length: count) else { return .needsMore }
                dataBytes += Int64(count)
                phase = remaining == Int64(count) ? .dataEnd : .data(remaining: remaining - Int64(count))
                return .bytes(bytes)
            case .dataEnd:
                guard try dataHasEnded(buffer) else { return .needsMore }
                buffer.moveReaderIndex(forwardBy: 2)
                phase = .size
            case .trailer:
                guard let length = try line(buffer, limit: Self.trailerLimit - trailerBytes) else { return .needsMore }
                if length == 0 {
                    phase = .end
                } else {
                    _ = try FieldLine.read(buffer, length: length)
                    trailerBytes += length + 2
                }
                buffer.moveReaderIndex(forwardBy: length + 2)
            case .end:
                return .end
            }
        }
    }

    private mutating func readSize(_ buffer: borrowing ByteBuffer, length: Int) throws(RequestRefusal) -> Int64 {
        let bytes = buffer.readableBytesUInt8Span
        var size: Int64 = 0
        var index = 0
        while index < length, let digit = ByteClasses.hexadecimalValue(bytes[index]) {
            guard index < 15 else { throw Self.refusal("A chunk's size does not fit.") }
            size = size << 4 | Int64(digit)
            index += 1
        }
        guard index > 0 else { throw Self.refusal("A chunk does not begin with its size.") }
        if index < length {
            guard bytes[index] == UInt8(ascii: ";") else { throw Self.refusal("A chunk's size is not a number.") }
            for position in index..<length where !ByteClasses.isFieldValue(bytes[position]) {
                throw Self.refusal("A chunk extension holds a control character.")
            }
            extensionBytes += Int64(length - index)
            guard extensionBytes <= Self.extensionAllowance + dataBytes else {
                throw Self.refusal("The chunk extensions are too large.")
            }
        }
        return size
    }

    private func dataHasEnded(_ buffer: borrowing ByteBuffer) throws(RequestRefusal) -> Bool {
        let bytes = buffer.readableBytesUInt8Span
        guard bytes.count > 0 else { return false }
        guard bytes[0] == ByteClasses.carriageReturn, bytes.count == 1 || bytes[1] == ByteClasses.lineFeed else {
            throw Self.refusal("A chunk is longer than its size.")
        }
        return bytes.count > 1
    }

    private func line(_ buffer: borrowing ByteBuffer, limit: Int) throws(RequestRefusal) -> Int? {
        var reader = LineReader()
        return try reader.line(
            in: buffer, limit: limit, tooLong: Self.refusal("A chunk's framing or the trailer is too large."))
    }

    private static func refusal(_ message: String) -> RequestRefusal {
        RequestRefusal(.framing, message)
    }
}
