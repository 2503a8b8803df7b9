package import Primitives

/// A request's head with what its framing and connection fields ask for.
package struct ParsedRequest: Equatable, Sendable {
    package var head: RequestHead
    package var framing: BodyFraming
    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    package var minorVersion: Int
    /// Whether the connection ends with this request: the client said so, or speaks HTTP/1.0.
    package var closes: Bool
    /// Whether the client waits for `100 Continue` before it sends the body.
    package var expectsContinue: Bool
}

extension ParsedRequest {
    /// Checks what concerns several fields at once.
    ///
    /// - Throws: `RequestRefusal`.
    init(_ line: RequestLine, fields: HeaderFields) throws(RequestRefusal) {
        var hosts: [String] = []
        var contentLengths: [String] = []
        var transferEncodings: [String] = []
        var expectations: [String] = []
        var closes = line.minorVersion == 0
        for field in fields.fields {
            switch field.name {
            case "host": hosts.append(field.value)
            case "content-length": contentLengths.append(field.value)
            case "transfer-encoding": transferEncodings.append(field.value)
            // A list of none is no expectation.
            case "expect" where !field.value.isEmpty: expectations.append(field.value)
            case "connection": closes = closes || Self.asksToClose(field.value)
            default: break
            }
        }
        minorVersion = line.minorVersion
        self.closes = closes
        framing = try BodyFraming(
            contentLengths: contentLengths, transferEncodings: transferEncodings, minorVersion: line.minorVersion)
        let host = try RequestTarget.host(hosts, minorVersion: line.minorVersion)
        let target = try RequestTarget.originForm(of: line.target, host: host)
        var fields = fields
        if hosts.isEmpty { fields.append("host", "") }
        head = RequestHead(method: line.method, target: target, fields: fields)
        expectsContinue = try Self.expectsContinue(expectations, minorVersion: line.minorVersion)
    }

    /// RFC 9110 §10.1.1: an expectation that is not understood is answered with 417; HTTP/1.0 has none.
    private static func expectsContinue(
        _ expectations: [String], minorVersion: Int
    ) throws(RequestRefusal) -> Bool {
        guard minorVersion == 1, let expectation = expectations.first else { return false }
        guard expectations.count == 1, ByteClasses.equalIgnoringCase(expectation.utf8, "100-continue".utf8) else {
            throw RequestRefusal(
                .expectation, status: 417, code: "ExpectationFailed", "The expectation is not supported.")
        }
        return true
    }

    /// Whether a list of connection options holds `close`.
    private static func asksToClose(_ value: String) -> Bool {
        value.utf8.split(separator: UInt8(ascii: ",")).contains { option in
            let trimmed = option.drop { $0 == ByteClasses.space || $0 == ByteClasses.tab }
            let end = trimmed.lastIndex { $0 != ByteClasses.space && $0 != ByteClasses.tab }
            guard let end else { return false }
            return ByteClasses.equalIgnoringCase(trimmed[...end], "close".utf8)
        }
    }
}
