import NIOCore
import Primitives

/// `multipart/form-data` (RFC 7578, RFC 2046 §5.1), as a state machine without I/O.
///
///     form      = [CRLF] "--" boundary 1*(delimiter-end part CRLF "--" boundary) "--" *white-space
///     part      = *(field-line CRLF) CRLF content
///     delimiter-end = *(SP / HTAB) CRLF
///
/// It is stricter than RFC 2046 where a sender has no reason to use the liberty: there is no preamble, nothing but
/// white space behind the last delimiter, and a line that only begins like a delimiter is an error, as that RFC forbids
/// senders to write one. A part's bytes pass as they come; what might be the beginning of a delimiter is held back
/// until more is known, which is never more than a delimiter.
struct MultipartDecoder: Sendable {
    enum Step {
        /// The next part begins; the one before has ended.
        case part(PartHead)
        /// Bytes of the part that began last, never empty.
        case bytes(ByteBuffer)
        case needsMore
        /// The last delimiter came, whatever follows it: that is looked at by the calls after this one, so that the
        /// answer does not depend on how the bytes are cut. They allow white space alone, and ask for more.
        case end
    }

    private enum State {
        case start
        case delimiterEnd
        case head([[UInt8]], size: Int)
        case content
        case end
    }

    /// Bytes of a part's header, line ends included.
    static let maximumHead = 4096
    /// White space between a delimiter and the end of its line.
    private static let maximumPadding = 64

    /// Line end, two dashes, boundary.
    private let delimiter: [UInt8]
    private var state = State.start
    private var input = ByteBuffer()
    /// Bytes of the form that were decoded so far, delimiters and all.
    private(set) var consumed: Int64 = 0

    init(_ boundary: FormBoundary) {
        delimiter = Array("\r\n--".utf8) + boundary.bytes
    }

    /// Gives it more bytes.
    mutating func append(_ buffer: ByteBuffer) {
        guard input.readableBytes > 0 else {
            input = buffer
            return
        }
        var buffer = buffer
        if input.readerIndex > input.readableBytes { input.discardReadBytes() }
        input.writeBuffer(&buffer)
    }

    /// The next step that the bytes so far allow.
    ///
    /// - Throws: `BodyError` of kind `malformedForm`. After that it is not called again.
    mutating func next() throws(BodyError) -> Step {
        while true {
            switch state {
            case .start:
                guard try takeFirstDelimiter() else { return .needsMore }
            case .delimiterEnd:
                guard try takeDelimiterEnd() else { return .needsMore }
                if case .end = state { return .end }
            case .head(var lines, let size):
                guard let line = try takeLine(limit: Self.maximumHead - size) else { return .needsMore }
                guard line.isEmpty else {
                    lines.append(line)
                    state = .head(lines, size: size + line.count + 2)
                    continue
                }
                state = .content
                return .part(try PartHead(lines: lines))
            case .content:
                let (length, isWhole) = contentLength()
                if length > 0, let bytes = take(length) { return .bytes(bytes) }
                guard isWhole else { return .needsMore }
                skip(delimiter.count)
                state = .delimiterEnd
            case .end:
                guard input.readableBytesView.allSatisfy(Self.isWhiteSpace) else {
                    throw PartHead.malformed("Something follows the last boundary.")
                }
                skip(input.readableBytes)
                return .needsMore
            }
        }
    }

    /// A form begins with a boundary; some clients send a line end before it.
    private mutating func takeFirstDelimiter() throws(BodyError) -> Bool {
        let view = input.readableBytesView
        for start in [delimiter[2...], delimiter[...]] {
            let shared = min(start.count, view.count)
            guard view.prefix(shared).elementsEqual(start.prefix(shared)) else { continue }
            guard shared == start.count else { return false }
            skip(shared)
            state = .delimiterEnd
            return true
        }
        throw PartHead.malformed("The body does not begin with the boundary.")
    }

    private mutating func takeDelimiterEnd() throws(BodyError) -> Bool {
        guard input.readableBytes >= 2 else { return false }
        if input.readableBytesView.prefix(2).elementsEqual("--".utf8) {
            skip(2)
            state = .end
            return true
        }
        guard let line = try takeLine(limit: Self.maximumPadding) else { return false }
        guard line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) else {
            throw PartHead.malformed("A line begins like the boundary and is another one.")
        }
        state = .head([], size: 0)
        return true
    }

    /// A line without its CRLF, once it is there.
    private mutating func takeLine(limit: Int) throws(BodyError) -> [UInt8]? {
        let window = input.readableBytesView.prefix(limit)
        guard let end = window.firstIndex(of: 0x0A) else {
            guard window.count < limit else { throw PartHead.malformed("The header of a part is too long.") }
            return nil
        }
        let line = window[..<end]
        guard line.last == 0x0D else { throw PartHead.malformed("A line of a part's header does not end with CRLF.") }
        let text = Array(line.dropLast())
        skip(line.count + 1)
        return text
    }

    /// How many bytes come before a delimiter or what may become one, and whether the delimiter is there whole.
    ///
    /// A boundary holds no line end, so that no two candidates overlap: whatever the bytes are, each is looked at twice
    /// at most.
    private func contentLength() -> (length: Int, isWhole: Bool) {
        let bytes = input.readableBytesUInt8Span
        var start = 0
        while start < bytes.count {
            if bytes[start] == 0x0D {
                let candidate = min(delimiter.count, bytes.count - start)
                var matched = 1
                while matched < candidate, bytes[start + matched] == delimiter[matched] { matched += 1 }
                if matched == candidate { return (start, matched == delimiter.count) }
            }
            start += 1
        }
        return (bytes.count, false)
    }

    private mutating func take(_ length: Int) -> ByteBuffer? {
        consumed += Int64(length)
        return input.readSlice(length: length)
    }

    private mutating func skip(_ length: Int) {
        consumed += Int64(length)
        input.moveReaderIndex(forwardBy: length)
    }

    private static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A
    }
}
