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
        buffer.writeString("HTTP/1.1 ")
        buffer.writeString(String(status))
        buffer.writeString(" ")
        buffer.writeString(reason(status))
        buffer.writeString("\r\nserver: Tidegate\r\ndate: ")
        buffer.writeString(date)
        buffer.writeString("\r\n")
        var announced: String?
        for field in head.fields.fields {
            switch field.name {
            case "content-length": announced = announced ?? field.value
            case "transfer-encoding", "connection", "keep-alive", "date", "server": continue
            default: write(field, into: &buffer)
            }
        }
        switch framing {
        case .bodiless(let length):
            if status != 204, let text = length.map(String.init) ?? announced, text.utf8.allSatisfy(isDigit) {
                write(HeaderFields.Field(name: "content-length", value: text), into: &buffer)
            }
        case .length(let length):
            buffer.writeString("content-length: ")
            buffer.writeString(String(length))
            buffer.writeString("\r\n")
        case .chunked: buffer.writeString("transfer-encoding: chunked\r\n")
        case .untilClose: break
        }
        buffer.writeString(closes ? "connection: close\r\n\r\n" : "\r\n")
    }

    private static func write(_ field: HeaderFields.Field, into buffer: inout ByteBuffer) {
        guard !field.name.isEmpty, field.name.utf8.allSatisfy(ByteClasses.isToken) else { return }
        buffer.writeString(field.name)
        buffer.writeString(": ")
        if field.value.utf8.allSatisfy(ByteClasses.isFieldValue) {
            buffer.writeString(field.value)
        } else {
            buffer.writeBytes(field.value.utf8.map { ByteClasses.isFieldValue($0) ? $0 : ByteClasses.space })
        }
        buffer.writeString("\r\n")
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
