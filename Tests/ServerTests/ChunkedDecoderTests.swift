import NIOCore
import Server
import Testing

@Suite struct ChunkedDecoderTests {
    /// Decodes a text that comes in pieces of `size` bytes: the body and what follows it, or nil where more would be
    /// needed.
    private func decode(_ text: String, piecesOf size: Int = .max) throws -> (body: String, rest: String)? {
        var decoder = ChunkedDecoder()
        var buffer = ByteBuffer()
        var body = ByteBuffer()
        var input = Array(text.utf8)[...]
        while true {
            switch try decoder.next(&buffer) {
            case .bytes(var bytes): body.writeBuffer(&bytes)
            case .end: return (String(buffer: body), String(buffer: buffer) + String(decoding: input, as: UTF8.self))
            case .needsMore:
                guard !input.isEmpty else { return nil }
                buffer.writeBytes(input.prefix(size))
                input = input.dropFirst(size)
            }
        }
    }

    @Test(arguments: [1, 2, 3, 7, .max])
    func decodesHoweverTheBytesAreCut(_ size: Int) throws {
        let text = "5\r\nhello\r\n06;a=b\r\n world\r\n0\r\nx-t: 1\r\n\r\nGET /"
        let result = try #require(try decode(text, piecesOf: size))
        #expect(result.body == "hello world")
        #expect(result.rest == "GET /")
        #expect(try decode("5\r\nhel", piecesOf: size) == nil)
        #expect(try decode("0\r\n", piecesOf: size) == nil)
    }

    @Test(arguments: [
        "x\r\n", "\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\na\r\n", "1 \r\na\r\n", "1\na\r\n", "1\r\nab\r\n",
        "1\r\na\n0\r\n\r\n",
        "1\r\na\rb", "ffffffffffffffff\r\n", "1000000000000000\r\n", "1;a\u{0}\r\na\r\n", "1;a\nb\r\na\r\n",
        "1;\rb\r\na",
        "0\r\n x: y\r\n\r\n", "0\r\nx\r\n\r\n", "0\r\nx: y\n\r\n", "0\r\nGET / HTTP/1.1\r\n\r\n", "1_0\r\n",
    ])
    func refusesBadFramingAgainstRequestSmuggling(_ text: String) {
        #expect(throws: RequestRefusal.self) { try decode(text) }
        #expect(throws: RequestRefusal.self) { try decode(text, piecesOf: 1) }
    }

    @Test("CVE-2023-39326: chunk extensions are bounded") func boundsExtensions() throws {
        #expect(throws: RequestRefusal.self) { try decode("1;" + String(repeating: "a", count: 300) + "\r\na\r\n") }
        #expect(throws: RequestRefusal.self) { try decode("1;" + String(repeating: "a", count: 300)) }
        let chunk = "1;" + String(repeating: "a", count: 200) + "\r\na\r\n"
        #expect(throws: RequestRefusal.self) { try decode(String(repeating: chunk, count: 100) + "0\r\n\r\n") }
        #expect(try decode(String(repeating: chunk, count: 50) + "0\r\n\r\n")?.body.utf8.count == 50)
    }

    @Test func boundsTrailers() throws {
        let field = "x: " + String(repeating: "a", count: 100) + "\r\n"
        #expect(try decode("0\r\n" + String(repeating: field, count: 50) + "\r\n")?.body == "")
        #expect(throws: RequestRefusal.self) { try decode("0\r\n" + String(repeating: field, count: 100) + "\r\n") }
    }
}
