import NIOCore
import Primitives
import Server
import Testing

/// What the parser makes of a text: the whole request, or the refusal.
private func parse(_ text: String, limits: ServerLimits = ServerLimits()) throws -> ParsedRequest? {
    try parse(Array(text.utf8), limits: limits)
}

private func parse(_ bytes: [UInt8], limits: ServerLimits = ServerLimits()) throws -> ParsedRequest? {
    var parser = RequestHeadParser(limits: limits)
    var buffer = ByteBuffer(bytes: bytes)
    return try parser.parse(&buffer)
}

private func refusal(_ bytes: [UInt8], limits: ServerLimits = ServerLimits()) -> RequestRefusal? {
    do {
        _ = try parse(bytes, limits: limits)
        return nil
    } catch {
        return error as? RequestRefusal
    }
}

private func refusal(_ text: String, limits: ServerLimits = ServerLimits()) -> RequestRefusal? {
    refusal(Array(text.utf8), limits: limits)
}

@Suite struct RequestHeadParserTests {
    @Test func readsAWholeHeadAndLeavesTheRest() throws {
        var parser = RequestHeadParser(limits: ServerLimits())
        var buffer = ByteBuffer(
            string:
                "PUT /a%20b?x=1&y HTTP/1.1\r\nHost: h:9000\r\nX-Amz-Meta-A: \t one two \t\r\n"
                + "Content-Length: 5\r\n\r\nhello"
        )
        let request = try #require(try parser.parse(&buffer))
        #expect(request.head.method == "PUT")
        #expect(request.head.target == "/a%20b?x=1&y")
        #expect(request.head.fields["host"] == "h:9000")
        #expect(request.head.fields["x-amz-meta-a"] == "one two")
        #expect(request.framing == .length(5))
        #expect(!request.closes)
        #expect(!request.expectsContinue)
        #expect(String(buffer: buffer) == "hello")
    }

    @Test func readsHeadsThatComeByteByByteAndOneAfterTheOther() throws {
        var parser = RequestHeadParser(limits: ServerLimits())
        var buffer = ByteBuffer()
        var found: [String] = []
        for byte in "GET /1 HTTP/1.1\r\nhost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nhost: a\r\n\r\n".utf8 {
            buffer.writeInteger(byte)
            if let request = try parser.parse(&buffer) { found.append(request.head.target) }
        }
        #expect(found == ["/1", "/2"])
        #expect(buffer.readableBytes == 0)
    }

    @Test func keepsValuesThatAreUTF8() throws {
        let request = try #require(try parse("GET / HTTP/1.1\r\nhost: a\r\nx-amz-meta-n: grüße 日本\r\n\r\n"))
        #expect(request.head.fields["x-amz-meta-n"] == "grüße 日本")
    }

    @Test(arguments: [
        "GET / HTTP/1.1\nhost: a\r\n\r\n", "GET / HTTP/1.1\r\nhost: a\n\r\n", "GET / HTTP/1.1\r\nhost: a\r\n\n",
        "GET / HTTP/1.1\r\nhost: a\r\nx: b\rc: d\r\n\r\n", "GET /\r HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nx: b\r\r\n\r\n",
    ])
    func refusesBareLineEndings(_ text: String) {
        #expect(refusal(text)?.status == 400)
    }

    @Test(arguments: [
        " GET / HTTP/1.1\r\n", "GET  / HTTP/1.1\r\n", "GET /  HTTP/1.1\r\n", "GET / HTTP/1.1 \r\n",
        "GET\t/\tHTTP/1.1\r\n",
        "GET / http/1.1\r\n", "GET /\r\n", "GET\r\n", "G@T / HTTP/1.1\r\n", "GET /a b HTTP/1.1\r\n",
        "GET /\u{7F} HTTP/1.1\r\n",
        "GET /é HTTP/1.1\r\n", "GET /\u{0} HTTP/1.1\r\n", "/ HTTP/1.1\r\n", "\r\n\r\nGET / HTTP/1.1\r\n",
        "GET a HTTP/1.1\r\n", "GET / HTTPS/1.1\r\n",
    ])
    func refusesRequestLinesThatDoNotParse(_ line: String) {
        #expect(refusal(line + "host: a\r\n\r\n")?.status == 400)
    }

    @Test func refusesOtherVersionsCleanly() {
        #expect(refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")?.status == 505)
        #expect(refusal("GET / HTTP/3.0\r\nhost: a\r\n\r\n")?.status == 505)
        #expect(refusal("GET / HTTP/1.2\r\nhost: a\r\n\r\n")?.status == 505)
    }

    @Test func refusesMethodsOutsideS3() {
        for method in ["CONNECT", "TRACE"] {
            #expect(refusal("\(method) / HTTP/1.1\r\nhost: a\r\n\r\n")?.code == "MethodNotAllowed")
            #expect(refusal("\(method) / HTTP/1.1\r\nhost: a\r\n\r\n")?.status == 405)
        }
        #expect(refusal("CONNECT example.com:443 HTTP/1.1\r\nhost: a\r\n\r\n")?.status == 405)
        for method in ["get", "PROPFIND", "GETT"] {
            #expect(refusal("\(method) / HTTP/1.1\r\nhost: a\r\n\r\n")?.status == 501)
        }
    }

    @Test(arguments: [
        "x : 1", " x: 1", "\tx: 1", ": 1", "x", "x\u{0}: 1", "x: a\u{0}b", "x: a\u{7F}", "x: a\u{1B}", "x y: 1",
        "x(: 1", "é: 1",
    ])
    func refusesFieldsThatDoNotParse(_ field: String) {
        #expect(refusal("GET / HTTP/1.1\r\nhost: a\r\n\(field)\r\n\r\n")?.reason == .headerField)
    }

    /// CVE-2019-10222 and CVE-2018-7262 are servers that died of such fields.
    @Test func refusesFoldedFieldsAndBytesThatAreNotUTF8() {
        #expect(refusal("GET / HTTP/1.1\r\nhost: a\r\nx: 1\r\n 2\r\n\r\n")?.reason == .headerField)
        #expect(refusal("GET / HTTP/1.1\r\n host: a\r\n\r\n")?.reason == .headerField)
        #expect(
            refusal(Array("GET / HTTP/1.1\r\nhost: a\r\nx: ".utf8) + [0xFF, 0x0D, 0x0A, 0x0D, 0x0A])?.status == 400)
        #expect(
            refusal(Array("GET / HTTP/1.1\r\nhost: a\r\nx: ".utf8) + [0xC0, 0x80, 0x0D, 0x0A, 0x0D, 0x0A])?.status
                == 400)
    }

    @Test(arguments: [
        "Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length: 6", "Content-Length: 5, 5",
        "Content-Length: +5", "Content-Length: -5", "Content-Length: 0x5", "Content-Length: 5 5", "Content-Length:",
        "Content-Length: 9223372036854775808", "Content-Length: 99999999999999999999", "Content-Length: 5;",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: identity", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked;q=1", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding:",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    ])
    func refusesAmbiguousFramingAgainstRequestSmuggling(_ fields: String) {
        #expect(refusal("POST / HTTP/1.1\r\nhost: a\r\n\(fields)\r\n\r\n")?.reason == .framing)
    }

    @Test func readsFraming() throws {
        func framing(_ field: String) throws -> BodyFraming? {
            try parse("POST / HTTP/1.1\r\nhost: a\r\n\(field)\r\n\r\n")?.framing
        }
        #expect(try framing("Content-Length: 0") == BodyFraming.none)
        #expect(try framing("Content-Length: 9223372036854775807") == .length(.max))
        #expect(try framing("Transfer-Encoding: Chunked") == .chunked)
        #expect(try framing("x: y") == BodyFraming.none)
    }

    @Test func refusesTransferEncodingInVersion10() {
        #expect(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")?.reason == .framing)
    }

    @Test(arguments: [
        "", "Host: a\r\nHost: a\r\n", "Host: a\r\nHost: b\r\n", "Host:\r\n", "Host: a b\r\n", "Host: a/b\r\n",
        "Host: a@b\r\n",
        "Host: a,b\r\n", "Host: a?b\r\n", "Host: http://a\r\n",
    ])
    func refusesHosts(_ fields: String) {
        #expect(refusal("GET / HTTP/1.1\r\n\(fields)\r\n")?.reason == .host)
    }

    @Test(arguments: [
        ("http://a/b?c", "/b?c"), ("HTTP://A", "/"), ("http://a?c=/", "/?c=/"), ("https://a/", "/"),
        ("/http://x/", "/http://x/"),
    ])
    func turnsTheAbsoluteFormOfTheSameHostIntoOriginForm(_ target: String, _ expected: String) throws {
        #expect(try parse("GET \(target) HTTP/1.1\r\nhost: a\r\n\r\n")?.head.target == expected)
    }

    @Test(arguments: [
        "http://b/", "http://a:80/", "http://user@a/", "http:///", "ftp://a/", "*", "a/b", "/#x",
        "http://a/#x", "?x", "http:/a/",
    ])
    func refusesOtherForms(_ target: String) {
        #expect(refusal("GET \(target) HTTP/1.1\r\nhost: a\r\n\r\n")?.status == 400)
    }

    @Test func readsExpectationsAndConnectionOptions() throws {
        func request(_ fields: String, version: String = "1.1") throws -> ParsedRequest? {
            try parse("PUT / HTTP/\(version)\r\nhost: a\r\ncontent-length: 1\r\n\(fields)\r\n\r\n")
        }
        #expect(try request("Expect: 100-Continue")?.expectsContinue == true)
        #expect(try request("Expect: 100-continue", version: "1.0")?.expectsContinue == false)
        #expect(try parse("GET / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n\r\n")?.expectsContinue == true)
        #expect(refusal("PUT / HTTP/1.1\r\nhost: a\r\nexpect: 200-ok\r\n\r\n")?.status == 417)
        #expect(
            refusal("PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\nexpect: 100-continue\r\n\r\n")?.status == 417)
        #expect(try request("Connection: keep-alive, Close ")?.closes == true)
        #expect(try request("Connection: closed")?.closes == false)
        #expect(try request("x: y", version: "1.0")?.closes == true)
    }

    @Test func acceptsVersion10WithoutHost() throws {
        let request = try #require(try parse("GET / HTTP/1.0\r\n\r\n"))
        #expect(request.head.fields.values("host") == [""])
        #expect(request.closes)
    }

    /// CVE-2016-8626 and CVE-2020-12059 class: what is too large is refused before it is held.
    @Test func boundsTheHead() {
        var limits = ServerLimits()
        (limits.requestLineBytes, limits.headerBytes, limits.headerCount) = (100, 200, 3)
        let long = String(repeating: "a", count: 100)
        #expect(refusal("GET /\(long) HTTP/1.1\r\n", limits: limits)?.status == 414)
        #expect(refusal("GET /\(long.prefix(90))", limits: limits) == nil)
        #expect(refusal("GET /\(long)\(long)", limits: limits)?.reason == .requestLineTooLong)
        let start = "GET / HTTP/1.1\r\nhost: a\r\n"
        #expect(refusal(start + "x: \(long)\(long)", limits: limits)?.reason == .headerTooLarge)
        #expect(
            refusal(start + "x: \(long)\r\ny: \(long)\r\n\r\n", limits: limits)?.code == "RequestHeaderSectionTooLarge")
        #expect(refusal(start + "x: 1\r\ny: 1\r\n\r\n", limits: limits) == nil)
        #expect(refusal(start + "x: 1\r\ny: 1\r\nz: 1\r\n\r\n", limits: limits)?.reason == .headerTooLarge)
    }

    @Test func survivesEveryPrefixAndEveryChangedByte() {
        let text = Array("PUT /k HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n".utf8)
        for count in 0..<text.count { #expect(refusal(Array(text[..<count])) == nil) }
        for index in text.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = text
                changed[index] = byte
                _ = refusal(changed)
            }
        }
    }
}
