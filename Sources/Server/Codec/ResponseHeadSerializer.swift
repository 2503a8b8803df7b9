package import NIOCore
package import Primitives

/// Writes the head of an answer.
///
/// A field can never end its line or begin another one: control characters in a value become spaces, and a field whose
/// name is not a token is left out (CVE-2020-10753, CVE-2021-3524 and CVE-2015-5245 are what servers without that
/// suffer).
package enum ResponseHeadSerializer {
    /// The interim answer that asks for the body.
    package static let continueResponse = ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")

    /// Appends the head, its empty line included.
    ///
    /// - Parameters:
    ///   - head: A status outside 200 to 599 is sent as 500. Fields that frame the message are the server's and
    ///     skipped, but a `content-length` where there is no body to frame (`HEAD`, 304).
    ///   - date: The `date` field.
    package static func write(
        _ head: ResponseHead, framing: ResponseFraming, closes: Bool, date: String, into buffer: inout ByteBuffer
    ) {
        let status = (200...599).contains(head.status) ? head.status : 500
        // Put together in an array, which grows cheaper than a buffer by so many short texts.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(768)
        bytes += "HTTP/1.1 ".utf8
        bytes += String(status).utf8
        bytes.append(ByteClasses.space)
        bytes += reason(status).utf8
        bytes += "\r\nserver: Tidegate\r\ndate: ".utf8
        bytes += date.utf8
        bytes += "\r\n".utf8
        var announced: String?
        for field in head.fields.fields {
            switch field.name {
            case "content-length": announced = announced ?? field.value
            case "transfer-encoding", "connection", "keep-alive", "date", "server": continue
            default: append(field, to: &bytes)
            }
        }
        switch framing {
        case .bodiless(let length):
            if status != 204, let text = length.map(String.init) ?? announced, text.utf8.span.areAll(isDigit) {
                append(HeaderFields.Field(name: "content-length", value: text), to: &bytes)
            }
        case .length(let length):
            append(HeaderFields.Field(name: "content-length", value: String(length)), to: &bytes)
        case .chunked: bytes += "transfer-encoding: chunked\r\n".utf8
        case .untilClose: break
        }
        bytes += (closes ? "connection: close\r\n\r\n" : "\r\n").utf8
        buffer.writeBytes(bytes)
    }

    private static func append(_ field: HeaderFields.Field, to bytes: inout [UInt8]) {
        guard !field.name.isEmpty, field.name.utf8.span.areAll(ByteClasses.isToken) else { return }
        bytes += field.name.utf8
        bytes += ": ".utf8
        if field.value.utf8.span.areAll(ByteClasses.isFieldValue) {
            bytes += field.value.utf8
        } else {
            bytes += field.value.utf8.map { ByteClasses.isFieldValue($0) ? $0 : ByteClasses.space }
        }
        bytes += "\r\n".utf8
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 204: "No Content"
        case 206: "Partial Content"
        case 301: "Moved Permanently"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 505: "HTTP Version Not Supported"
        default: status < 400 ? "OK" : "Error"
        }
    }
}
