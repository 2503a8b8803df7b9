import NIOCore
import NIOPosix
import NIOSSL
import Primitives
import Synchronization

/// A client that sends and receives bytes as they are, over a real socket.
final class RawClient: Sendable {
    struct State {
        var received = ByteBuffer()
        var count = 0
        /// The server has closed its sending side, or the whole connection.
        var isEnded = false
        var wasReset = false
    }

    enum Failure: Error { case timedOut(String) }

    let channel: any Channel
    private let state: SharedState

    final class SharedState: Sendable {
        let value = Mutex(State())
    }

    private init(_ channel: any Channel, _ state: SharedState) {
        (self.channel, self.state) = (channel, state)
    }

    /// Connects to a port of this machine.
    ///
    /// - Parameters:
    ///   - keeps: Whether received bytes are kept, or only counted.
    ///   - reads: Whether anything is read at all.
    static func connect(
        _ port: Int, tls: NIOSSLContext? = nil, keeps: Bool = true, reads: Bool = true
    ) async throws -> RawClient {
        let state = SharedState()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            // Over TLS the client library would wait for five seconds between its farewell and the server's.
            .channelOption(.allowRemoteHalfClosure, value: tls == nil)
            .channelOption(.autoRead, value: reads)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: nil))
                    }
                    try channel.pipeline.syncOperations.addHandler(Receiver(state: state, keeps: keeps))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return RawClient(channel, state)
    }

    func send(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text))
    }

    func send(_ bytes: ByteBuffer) async throws {
        try await channel.writeAndFlush(bytes)
    }

    func closeOutput() async throws {
        try await channel.close(mode: .output)
    }

    func close() async throws {
        do {
            try await channel.close()
        } catch is ChannelError {
            // The server was faster.
        }
    }

    /// Everything received so far, as text.
    var text: String { state.value.withLock { String(buffer: $0.received) } }
    var count: Int { state.value.withLock { $0.count } }
    var isEnded: Bool { state.value.withLock { $0.isEnded } }
    var wasReset: Bool { state.value.withLock { $0.wasReset } }

    /// Waits until what was received fulfils a condition.
    func wait(for what: String, _ condition: @Sendable (RawClient) -> Bool) async throws {
        try await eventually("\(what); received: \(text.prefix(2000))") { condition(self) }
    }

    /// Waits for text, and returns all that was received.
    @discardableResult
    func wait(for text: String) async throws -> String {
        try await wait(for: text) { $0.text.contains(text) }
        return self.text
    }

    /// Waits for the end, and returns all that was received.
    @discardableResult
    func waitForEnd() async throws -> String {
        try await wait(for: "the end of the connection") { $0.isEnded }
        return text
    }
}

private final class Receiver: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    private let state: RawClient.SharedState
    private let keeps: Bool

    init(state: RawClient.SharedState, keeps: Bool) {
        (self.state, self.keeps) = (state, keeps)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        state.value.withLock { state in
            state.count += bytes.readableBytes
            if keeps { state.received.writeBuffer(&bytes) }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { state.value.withLock { $0.isEnded = true } }
    }

    func channelInactive(context: ChannelHandlerContext) {
        state.value.withLock { $0.isEnded = true }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        state.value.withLock { ($0.isEnded, $0.wasReset) = (true, true) }
        context.close(promise: nil)
    }
}

/// Polls until a condition holds, and fails after minutes: what the deadline bounds is a test that hangs, not how busy
/// the machine may be.
func eventually(_ what: @autoclosure () -> String, _ condition: () -> Bool) async throws {
    let environment = SystemEnvironment()
    let end = environment.monotonicNanoseconds() + 180_000_000_000
    while !condition() {
        guard environment.monotonicNanoseconds() < end else { throw RawClient.Failure.timedOut(what()) }
        try await environment.sleep(for: .milliseconds(1))
    }
}
