import Primitives
import Testing

@testable import RemoteStore

@Suite struct ResponseHeadCollectorTests {
    private func collect(_ lines: [String]) throws(TransferError) -> (status: Int, fields: [String])? {
        var collector = ResponseHeadCollector()
        for line in lines {
            if let head = try collector.take(Array("\(line)\r\n".utf8)) {
                return (head.status, head.fields.fields.map { "\($0.name)=\($0.value)" })
            }
        }
        return nil
    }

    @Test func readsAHead() throws {
        let head = try #require(
            try collect(["HTTP/1.1 206 Partial Content", "Content-Range: bytes 0-1/2", "X-A:\t b c  ", "X-Empty:", ""]))
        #expect(head.status == 206)
        #expect(head.fields == ["content-range=bytes 0-1/2", "x-a=b c", "x-empty="])
    }

    @Test func readsTheHeadOfHTTP2() throws {
        #expect(try collect(["HTTP/2 200", ""])?.status == 200)
    }

    @Test func passesOverInterimAnswersAndTrailers() throws {
        var collector = ResponseHeadCollector()
        for line in ["HTTP/1.1 100 Continue", "", "HTTP/1.1 103 Early Hints", "Link: a", "", "HTTP/1.1 200 OK"] {
            #expect(try collector.take(Array("\(line)\r\n".utf8)) == nil)
        }
        #expect(try collector.take(Array("\r\n".utf8))?.status == 200)
        #expect(try collector.take(Array("x-amz-checksum: late\r\n".utf8)) == nil)
    }

    @Test(arguments: [
        ["HTTP/1.1 2x0 OK"], ["HTTP/1.1 +20 OK"], ["HTTP/1.1 099 OK"], ["HTTP/1.1 600 OK"], ["HTTP/1.1"],
        ["ICY 200 OK"],
        [""], ["HTTP/1.1 200 OK", "no field"], ["HTTP/1.1 200 OK", ": nameless"], ["HTTP/1.1 200 OK", "a b: c"],
        ["HTTP/1.1 200 OK", " folded: line"], ["HTTP/1.1 200 OK", "a: b\0c"], ["HTTP/1.1 200 OK", "a: b\rc"],
        ["HTTP/1.1 200 OK", "a\0: b"],
    ])
    func refusesWhatIsNoHead(_ lines: [String]) {
        #expect { _ = try collect(lines + [""]) } throws: { error in
            if case TransferError.malformed = error { true } else { false }
        }
    }

    @Test func refusesAValueThatIsNoText() {
        var collector = ResponseHeadCollector()
        #expect(throws: TransferError.self) {
            _ = try collector.take(Array("HTTP/1.1 200 OK\r\n".utf8))
            _ = try collector.take([UInt8(ascii: "a"), UInt8(ascii: ":"), 0xff, 0xfe])
        }
    }

    @Test func boundsBytesAndFields() {
        let limit = ResponseHeadCollector.fieldLimit
        let status = ["HTTP/1.1 200 OK"]
        #expect(throws: Never.self) { _ = try collect(status + (0..<limit).map { "a\($0): b" } + [""]) }
        #expect(throws: TransferError.self) { _ = try collect(status + (0...limit).map { "a\($0): b" } + [""]) }
        let long = String(repeating: "x", count: ResponseHeadCollector.byteLimit)
        #expect(throws: TransferError.self) { _ = try collect(status + ["a: \(long)", ""]) }
        // Interim answers without end are bounded as well.
        let interim = ["HTTP/1.1 100 Continue", ""]
        #expect(throws: TransferError.self) { _ = try collect((0..<5000).flatMap { _ in interim }) }
    }
}
