import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A server on the loopback interface that answers as a test tells it to, rightly or not.
final class ScriptedServer: Sendable {
    /// A request as it came.
    struct Request: Sendable {
        /// Every line of the head, without its end.
        var lines: [String]
        var body: [UInt8]

        var method: String { words.first ?? "" }
        var target: String { words.count > 1 ? words[1] : "" }
        private var words: [String] { lines.first.map { $0.split(separator: " ").map(String.init) } ?? [] }

        /// The values under a name in lower case.
        func values(_ name: String) -> [String] {
            lines.dropFirst().compactMap { line in
                let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
                guard parts.count == 2, parts[0].lowercased() == name else { return nil }
                return parts[1].trimmingPrefix(" ").description
            }
        }
    }

    /// What is done with a request.
    struct Answer: Sendable {
        var bytes: [UInt8]
        /// Whether the connection is closed after it.
        var closes = false

        init(_ bytes: [UInt8], closes: Bool = false) {
            (self.bytes, self.closes) = (bytes, closes)
        }

        init(_ text: String, closes: Bool = false) {
            self.init(Array(text.utf8), closes: closes)
        }

        /// A whole answer, its length included.
        static func status(_ status: Int, _ fields: [String] = [], _ body: String = "") -> Answer {
            let lines = ["HTTP/1.1 \(status) X", "Content-Length: \(body.utf8.count)"] + fields + ["", body]
            return Answer(lines.joined(separator: "\r\n"))
        }

        /// Closes without an answer.
        static let nothing = Answer([], closes: true)
        /// Keeps the connection open, and silent.
        static let silence = Answer([])
    }

    /// Called with a head: an answer is sent without waiting for the body.
    typealias HeadScript = @Sendable (Request) -> Answer?
    typealias Script = @Sendable (Request) -> Answer

    let port: Int
    private let log: Log

    private init(port: Int, log: Log) {
        (self.port, self.log) = (port, log)
    }

    /// What happened so far.
    final class Log: Sendable {
        struct Entries {
            var requests: [Request] = []
            var opened = 0
            var closed = 0
        }

        let entries = Mutex(Entries())
    }

    var requests: [Request] { log.entries.withLock { $0.requests } }
    /// Connections that were opened, and those of them that are closed again.
    var connections: (opened: Int, closed: Int) { log.entries.withLock { ($0.opened, $0.closed) } }

    /// Runs a server for the time of `use`.
    static func with(
        onHead: @escaping HeadScript = { _ in nil }, tls: NIOSSLContext? = nil, _ script: @escaping Script,
        use: (ScriptedServer) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let log = Log()
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(Handler(log: log, onHead: onHead, script: script))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await use(ScriptedServer(port: channel.localAddress?.port ?? 0, log: log))
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let log: Log
        private let onHead: HeadScript
        private let script: Script
        private var received: [UInt8] = []
        private var isAnsweringEarly = false

        init(log: Log, onHead: @escaping HeadScript, script: @escaping Script) {
            (self.log, self.onHead, self.script) = (log, onHead, script)
        }

        func channelActive(context: ChannelHandlerContext) {
            log.entries.withLock { $0.opened += 1 }
        }

        func channelInactive(context: ChannelHandlerContext) {
            log.entries.withLock { $0.closed += 1 }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += unwrapInboundIn(data).readableBytesView
            while !isAnsweringEarly, let (request, length, isWhole) = next() {
                if let early = isWhole ? nil : onHead(request) {
                    isAnsweringEarly = true
                    log.entries.withLock { $0.requests.append(request) }
                    return answer(early, context)
                }
                guard isWhole else { return }
                received.removeFirst(length)
                log.entries.withLock { $0.requests.append(request) }
                answer(script(request), context)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }

        /// The request that is first, the bytes that it takes, and whether they are all there.
        private func next() -> (Request, Int, Bool)? {
            guard let end = received.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound else { return nil }
            let lines = String(decoding: received[..<(end - 4)], as: UTF8.self).split(separator: "\r\n").map(
                String.init)
            var request = Request(lines: lines, body: [])
            let length = request.values("content-length").first.flatMap { Int($0) } ?? 0
            request.body = Array(received[end...].prefix(length))
            return (request, end + length, request.body.count == length)
        }

        private func answer(_ answer: Answer, _ context: ChannelHandlerContext) {
            let written = context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: answer.bytes)))
            guard answer.closes else { return }
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            written.whenComplete { _ in bound.value.close(promise: nil) }
        }
    }
}
