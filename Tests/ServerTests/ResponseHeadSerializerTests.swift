import NIOCore
import Primitives
import Server
import Testing

@Suite struct ResponseHeadSerializerTests {
    private func head(
        _ head: ResponseHead, length: Int64? = 0, isHead: Bool = false, minorVersion: Int = 1, closes: Bool = false
    ) -> String {
        var buffer = ByteBuffer()
        let framing = ResponseFraming(
            length: length, status: head.status, isHead: isHead, minorVersion: minorVersion)
        ResponseHeadSerializer.write(head, framing: framing, closes: closes, date: "now", into: &buffer)
        return String(buffer: buffer)
    }

    @Test func writesAHead() {
        let text = head(ResponseHead(status: 200, fields: ["etag": "\"a\""]), length: 5)
        #expect(text == "HTTP/1.1 200 OK\r\nserver: Tidegate\r\ndate: now\r\netag: \"a\"\r\ncontent-length: 5\r\n\r\n")
    }

    @Test(
        "CVE-2020-10753, CVE-2021-3524, CVE-2015-5245: no value ends its line",
        arguments: ["a\r\nx: y", "a\nx: y", "a\rx: y", "a\u{0}x: y", "a\r\n\r\n<script>"])
    func neutralisesLineEndings(_ value: String) {
        let text = head(ResponseHead(status: 200, fields: ["access-control-expose-headers": value]))
        let lines = text.utf8.split(separator: 0x0A)
        #expect(lines.count == 6)
        #expect(lines.allSatisfy { $0.last == 0x0D && !$0.dropLast().contains(0x0D) && !$0.contains(0) })
    }

    @Test(arguments: ["", "a b", "a\r\nb", "a:", "é"]) func leavesOutNamesThatAreNoTokens(_ name: String) {
        let text = head(
            ResponseHead(status: 200, fields: HeaderFields([HeaderFields.Field(name: name, value: "marker")])))
        #expect(!text.contains("marker"))
    }

    @Test func framesByItself() {
        let fields: HeaderFields = [
            "content-length": "99", "transfer-encoding": "chunked", "connection": "upgrade", "date": "x",
        ]
        let text = head(ResponseHead(status: 200, fields: fields), length: 3)
        #expect(text == "HTTP/1.1 200 OK\r\nserver: Tidegate\r\ndate: now\r\ncontent-length: 3\r\n\r\n")
        #expect(head(ResponseHead(status: 200), length: nil).contains("transfer-encoding: chunked\r\n"))
        let old = head(ResponseHead(status: 200), length: nil, minorVersion: 0, closes: true)
        #expect(!old.contains("transfer-encoding"))
        #expect(old.hasSuffix("connection: close\r\n\r\n"))
    }

    @Test func announcesLengthsOnlyWhereTheyMayStand() {
        let fields: HeaderFields = ["content-length": "99"]
        #expect(
            head(ResponseHead(status: 200, fields: fields), length: nil, isHead: true).contains(
                "content-length: 99\r\n"))
        #expect(head(ResponseHead(status: 200), length: 7, isHead: true).contains("content-length: 7\r\n"))
        #expect(head(ResponseHead(status: 304, fields: fields)).contains("content-length: 99\r\n"))
        #expect(!head(ResponseHead(status: 204, fields: fields)).contains("content-length"))
        #expect(head(ResponseHead(status: 99)).hasPrefix("HTTP/1.1 500 "))
        #expect(head(ResponseHead(status: 101)).hasPrefix("HTTP/1.1 500 "))
        #expect(
            !head(ResponseHead(status: 200, fields: ["content-length": "1\r\n2"]), length: nil, isHead: true).contains(
                "2\r\n\r"))
    }
}
