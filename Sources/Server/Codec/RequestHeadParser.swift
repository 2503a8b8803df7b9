package import NIOCore
import Primitives

/// Reads the head of a request line by line, as the bytes come.
///
/// It accepts less than RFC 9112 lets a recipient accept: lines end in CR LF, nothing is folded, nothing is repaired.
/// One empty line before the request line is skipped, as §2.2 asks.
package struct RequestHeadParser {
    private let limits: ServerLimits
    private var reader = LineReader()
    private var line: RequestLine?
    private var fields = HeaderFields(capacity: 16)
    private var headerBytes = 0
    private var skippedLine = false

    package init(limits: ServerLimits) {
        self.limits = limits
    }

    /// Takes what it can from the buffer and returns the request once its head is whole; bytes after it stay.
    ///
    /// The parser is then ready for the next request. After an error it is not used again.
    ///
    /// - Throws: `RequestRefusal`.
    package mutating func parse(_ buffer: inout ByteBuffer) throws(RequestRefusal) -> ParsedRequest? {
        if line == nil {
            guard try parseRequestLine(&buffer) else { return nil }
        }
        while let length = try reader.line(
            in: buffer, limit: limits.headerBytes - headerBytes, tooLong: Self.tooLarge)
        {
            if length == 0 {
                buffer.moveReaderIndex(forwardBy: 2)
                return try finish()
            }
            guard fields.fields.count < limits.headerCount else { throw Self.tooLarge }
            let field = try FieldLine.read(buffer, length: length)
            fields.append(field.name, field.value)
            headerBytes += length + 2
            buffer.moveReaderIndex(forwardBy: length + 2)
        }
        return nil
    }

    private mutating func parseRequestLine(_ buffer: inout ByteBuffer) throws(RequestRefusal) -> Bool {
        while let length = try reader.line(in: buffer, limit: limits.requestLineBytes, tooLong: Self.lineTooLong) {
            if length == 0, !skippedLine {
                skippedLine = true
            } else {
                line = try RequestLine(buffer, length: length)
            }
            buffer.moveReaderIndex(forwardBy: length + 2)
            if line != nil { return true }
        }
        return false
    }

    private mutating func finish() throws(RequestRefusal) -> ParsedRequest? {
        guard let line else { return nil }
        let request = try ParsedRequest(line, fields: fields)
        self = RequestHeadParser(limits: limits)
        return request
    }

    private static let lineTooLong = RequestRefusal(
        .requestLineTooLong, status: 414, code: "RequestURITooLong", "The request line is too long.")

    private static let tooLarge = RequestRefusal(
        .headerTooLarge, code: "RequestHeaderSectionTooLarge",
        "Your request header section exceeds the maximum allowed size.")
}
