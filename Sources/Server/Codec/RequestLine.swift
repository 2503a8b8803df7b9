import NIOCore

/// The first line of a request (RFC 9112 §3), read strictly: two single spaces, a method S3 uses, visible ASCII,
/// HTTP/1.
struct RequestLine {
    let method: String
    /// As sent: in origin form, or in absolute form.
    let target: String
    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    let minorVersion: Int

    /// Reads the line of `length` bytes at the reader index; it does not move the index.
    ///
    /// - Throws: `RequestRefusal`.
    init(_ buffer: borrowing ByteBuffer, length: Int) throws(RequestRefusal) {
        let bytes = buffer.readableBytesUInt8Span
        var first = 0
        while first < length, ByteClasses.isToken(bytes[first]) { first += 1 }
        guard first > 0, first < length, bytes[first] == ByteClasses.space else {
            throw Self.refusal("The request line does not begin with a method.")
        }
        var second = first + 1
        while second < length, ByteClasses.isVisible(bytes[second]) { second += 1 }
        guard second > first + 1, second < length, bytes[second] == ByteClasses.space else {
            throw Self.refusal("The request target is not visible ASCII between two single spaces.")
        }
        let origin = buffer.readerIndex
        guard let method = buffer.getString(at: origin, length: first),
            let target = buffer.getString(at: origin + first + 1, length: second - first - 1),
            let version = buffer.getString(at: origin + second + 1, length: length - second - 1)
        else { throw Self.refusal("The request line is not whole.") }
        minorVersion = try Self.minorVersion(version)
        try Self.check(method)
        self.method = method
        self.target = target
    }

    private static func minorVersion(_ version: String) throws(RequestRefusal) -> Int {
        switch version {
        case "HTTP/1.1": return 1
        case "HTTP/1.0": return 0
        default:
            guard version.utf8.count == 8, version.utf8.starts(with: "HTTP/".utf8) else {
                throw refusal("The request line does not end in a version of HTTP.")
            }
            throw RequestRefusal(
                .version, status: 505, code: "HTTPVersionNotSupported", "The version of HTTP is not supported.")
        }
    }

    private static func check(_ method: String) throws(RequestRefusal) {
        switch method {
        case "GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH": return
        case "CONNECT", "TRACE":
            throw RequestRefusal(
                .method, status: 405, code: "MethodNotAllowed",
                "The specified method is not allowed against this resource.")
        default:
            throw RequestRefusal(
                .method, status: 501, code: "NotImplemented",
                "A method that you provided implies functionality that is not implemented.")
        }
    }

    private static func refusal(_ message: String) -> RequestRefusal {
        RequestRefusal(.requestLine, message)
    }
}
