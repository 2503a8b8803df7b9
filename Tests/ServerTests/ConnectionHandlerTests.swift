import NIOCore
import NIOEmbedded
import Primitives
import Server
import Synchronization
import Testing

/// A clock that a test moves.
private final class ManualEnvironment: Environment {
    private let nanoseconds = Mutex<UInt64>(1_000_000_000_000)

    func advance(_ duration: UInt64) { nanoseconds.withLock { $0 += duration } }
    func now() -> Timestamp { Timestamp(nanoseconds: Int64(monotonicNanoseconds())) }
    func monotonicNanoseconds() -> UInt64 { nanoseconds.withLock { $0 } }
    func sleep(for duration: Duration) async throws(CancellationError) {}
    func random() -> UInt64 { 0xAB }
}

/// A connection in memory, whose handler answers before it returns.
private struct Connection {
    let environment = ManualEnvironment()
    let log = HandlerLog()
    let core: ServerCore
    let channel: EmbeddedChannel

    init() throws {
        core = ServerCore(
            configuration: ServerConfiguration(), handler: FunctionHandler(function: describe, log: log),
            environment: environment)
        channel = EmbeddedChannel(handler: ConnectionHandler(core: core, isSecure: false))
        try channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 4711)).wait()
    }

    func feed(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

    func written() throws -> String {
        var text = ""
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
        return text
    }

    func wait(_ seconds: Int) {
        environment.advance(UInt64(seconds) * 1_000_000_000)
        channel.embeddedEventLoop.advanceTime(by: .seconds(Int64(seconds)))
    }
}

/// The handler in a pipeline in memory, with time under control.
@Suite struct ConnectionHandlerTests {
    @Test func answersAndReportsWhatItCounted() throws {
        let connection = try Connection()
        let request = "GET /a HTTP/1.1\r\nhost: h\r\n\r\n"
        try connection.feed(request)
        let text = try connection.written()
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\nserver: Tidegate\r\ndate: Thu, 01 Jan 1970 00:16:40 GMT\r\n"))
        #expect(text.hasSuffix("</a 0>"))
        let counters = connection.core.counterValues
        #expect(counters.requests == 1)
        #expect(counters.requestsInFlight == 0)
        #expect(counters.openConnections == 1)
        #expect(counters.bytesReceived == request.utf8.count)
        #expect(counters.bytesSent == text.utf8.count)
        _ = try connection.channel.finish(acceptAlreadyClosed: true)
        #expect(connection.core.counterValues.openConnections == 0)
    }

    @Test(
        "Request smuggling: nothing after an ambiguous head is taken for a request",
        arguments: [
            "content-length: 5\r\ntransfer-encoding: chunked", "content-length: 1\r\ncontent-length: 2",
            "content-length: 5, 5",
            "transfer-encoding: chunked, identity", "transfer-encoding : chunked", "x: 1\n content-length: 5",
            "x: a\rb",
            "x: 1\r\n folded: 2", "host: other", ": empty", "x: \u{0}",
        ])
    func refusesAndCloses(_ fields: String) throws {
        let connection = try Connection()
        try connection.feed(
            "POST /a HTTP/1.1\r\nhost: h\r\n\(fields)\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n")
        let text = try connection.written()
        #expect(text.hasPrefix("HTTP/1.1 4") || text.hasPrefix("HTTP/1.1 501"))
        #expect(text.contains("x-amz-request-id: 00000000000000AB"))
        #expect(text.contains("connection: close"))
        try connection.feed("GET /more HTTP/1.1\r\nhost: h\r\n\r\n")
        #expect(connection.log.all.isEmpty)
        #expect(try connection.written() == "")
        _ = try connection.channel.finish(acceptAlreadyClosed: true)
    }

    @Test func startsNoRequestWhileTheClientTakesNothing() throws {
        let connection = try Connection()
        connection.channel.isWritable = false
        try connection.feed("GET /a HTTP/1.1\r\nhost: h\r\n\r\n")
        #expect(connection.log.all.isEmpty)
        connection.channel.isWritable = true
        connection.channel.pipeline.fireChannelWritabilityChanged()
        #expect(try connection.written().hasSuffix("</a 0>"))
        _ = try connection.channel.finish(acceptAlreadyClosed: true)
    }

    @Test func closesIdleConnectionsAndSlowHeadsByTheClock() throws {
        let idle = try Connection()
        idle.wait(74)
        #expect(idle.channel.isActive)
        idle.wait(2)
        #expect(!idle.channel.isActive)
        #expect(try idle.written() == "")
        let slow = try Connection()
        for byte in "GET /a HTTP/1.1\r\nho".utf8 {
            try slow.feed(String(decoding: [byte], as: UTF8.self))
            slow.wait(1)
        }
        #expect(try slow.written() == "")
        slow.wait(2)
        #expect(try slow.written().hasPrefix("HTTP/1.1 408"))
        _ = try slow.channel.finish(acceptAlreadyClosed: true)
    }
}
