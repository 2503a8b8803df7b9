import NIOCore
import Primitives
import Server

/// What strangers reach first: the head of a request and the framing of its body.
extension FuzzTarget {
    /// Heads, one after the other, until one is refused or not whole.
    static let requestHead = FuzzTarget("request-head") {
        [
            Example("get", "GET /bucket/key?versionId=1 HTTP/1.1\r\nHost: s3.example.com:9000\r\n\r\n"),
            Example(
                "put",
                "PUT /b/%E2%82%AC HTTP/1.1\r\nhost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n",
                "x-amz-meta-a: \u{e9} b\t c \r\n\r\n"),
            Example("old", "GET / HTTP/1.0\r\n\r\n"),
            Example("absolute", "GET http://h:80/b?acl HTTP/1.1\r\nHost: h:80\r\nConnection: te, close\r\n\r\n"),
            Example(
                "two", "\r\nPOST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nDELETE /a HTTP/1.1\r\n"),
            Example("smuggled", "GET / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"),
        ]
    } run: { bytes in
        let whole = HeadOutcome(bytes, piecesOf: .max)
        for size in [1, 3, 7] {
            try require(HeadOutcome(bytes, piecesOf: size) == whole, "another outcome in pieces of \(size)")
        }
        for request in whole.requests {
            try HeadOutcome.checkBounds(request)
            let again = HeadOutcome(HeadOutcome.text(of: request), piecesOf: .max)
            try require(again.requests == [request] && again.refusal == nil, "a head is read otherwise once written")
        }
        return !whole.requests.isEmpty
    }

    /// A body with the chunked coding.
    static let chunked = FuzzTarget("chunked") {
        [
            Example("two", "5\r\nhello\r\n06;a=b\r\n world\r\n0\r\nx-t: 1\r\n\r\nGET / HTTP/1.1\r\n"),
            Example("none", "0\r\n\r\n"),
            Example("capitals", "1A;x=\"y z\"\r\nabcdefghijklmnopqrstuvwxyz\r\n00\r\n\r\n"),
        ]
    } run: { bytes in
        let whole = ChunkedOutcome(bytes, piecesOf: .max)
        for size in [1, 2, 5] {
            try require(ChunkedOutcome(bytes, piecesOf: size) == whole, "another outcome in pieces of \(size)")
        }
        guard whole.rest != nil else { return false }
        let again = ChunkedOutcome(ChunkedOutcome.text(of: whole.body), piecesOf: 3)
        try require(again.body == whole.body && again.rest == [], "a body is read otherwise once written")
        return true
    }
}

/// What became of the heads in some bytes.
struct HeadOutcome: Equatable {
    private(set) var requests: [ParsedRequest] = []
    private(set) var refusal: RequestRefusal?
    /// The bytes that were not used.
    private(set) var rest: [UInt8] = []

    private static let limits = ServerLimits()

    init(_ bytes: [UInt8], piecesOf size: Int) {
        var parser = RequestHeadParser(limits: Self.limits)
        var buffer = ByteBuffer()
        var pieces = pieces(of: bytes, size: size)[...]
        do throws(RequestRefusal) {
            while requests.count < 16 {
                if let request = try parser.parse(&buffer) {
                    requests.append(request)
                } else {
                    guard var piece = pieces.popFirst() else { break }
                    buffer.writeBuffer(&piece)
                }
            }
            rest = Array(buffer.readableBytesView) + pieces.flatMap { Array($0.readableBytesView) }
        } catch {
            refusal = error
        }
    }

    /// The head as another client would write it.
    static func text(of request: ParsedRequest) -> [UInt8] {
        var text = "\(request.head.method) \(request.head.target) HTTP/1.\(request.minorVersion)\r\n"
        for field in request.head.fields.fields {
            // HTTP/1.0 has a host where none was sent.
            if field.name == "host", field.value.isEmpty { continue }
            text += "\(field.name): \(field.value)\r\n"
        }
        return Array((text + "\r\n").utf8)
    }

    /// What everybody after the parser relies on.
    static func checkBounds(_ request: ParsedRequest) throws(BrokenProperty) {
        let head = request.head
        try require(head.target.utf8.first == 0x2F, "a target that is no path")
        try require(head.target.utf8.allSatisfy { (0x21...0x7E).contains($0) }, "a target that is not visible ASCII")
        try require(head.target.utf8.count <= limits.requestLineBytes, "a target above the limit")
        try require(head.fields.fields.count <= limits.headerCount + 1, "more fields than the limit")
        try require(head.fields.values("host").count == 1, "not one host")
        for field in head.fields.fields {
            let isToken = field.name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !(0x41...0x5A).contains($0) }
            try require(isToken && !field.name.isEmpty, "a name that is no lower-case token")
            let isPlain = field.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
            try require(isPlain, "a value with a control character")
            let ends = [field.value.utf8.first, field.value.utf8.last]
            try require(!ends.contains(0x20) && !ends.contains(0x09), "a value with white space at its end")
        }
        if case .length(let length) = request.framing { try require(length > 0, "a body of no bytes") }
        let framingFields = ["content-length", "transfer-encoding"].flatMap { head.fields.values($0) }
        try require(framingFields.count <= 1, "a framing that two readers could read in two ways")
    }
}

/// What became of a chunked body.
private struct ChunkedOutcome: Equatable {
    private(set) var body: [UInt8] = []
    private(set) var refusal: RequestRefusal?
    /// What follows the body; nil where it is not whole.
    private(set) var rest: [UInt8]?

    init(_ bytes: [UInt8], piecesOf size: Int) {
        var decoder = ChunkedDecoder()
        var buffer = ByteBuffer()
        var pieces = pieces(of: bytes, size: size)[...]
        do throws(RequestRefusal) {
            while rest == nil {
                switch try decoder.next(&buffer) {
                case .bytes(let bytes): body += bytes.readableBytesView
                case .end: rest = Array(buffer.readableBytesView) + pieces.flatMap { Array($0.readableBytesView) }
                case .needsMore:
                    guard var piece = pieces.popFirst() else { return }
                    buffer.writeBuffer(&piece)
                }
            }
        } catch {
            refusal = error
        }
    }

    static func text(of body: [UInt8]) -> [UInt8] {
        pieces(of: body, size: 7).filter { $0.readableBytes > 0 }.flatMap { chunk in
            Array("\(String(chunk.readableBytes, radix: 16))\r\n".utf8) + chunk.readableBytesView + [0x0D, 0x0A]
        } + Array("0\r\n\r\n".utf8)
    }
}
