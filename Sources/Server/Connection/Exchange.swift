import NIOCore
import Primitives

/// One request of a connection as its handler sees it: the way to its body, and the way back to the client.
///
/// Each call runs on the connection's event loop: at once where it is made there, else by one hop.
final class Exchange: ResponseChannel {
    private let connection: NIOLoopBound<ConnectionHandler>
    private let loop: any EventLoop
    private let identifier: UInt64

    init(_ connection: NIOLoopBound<ConnectionHandler>, loop: any EventLoop, identifier: UInt64) {
        (self.connection, self.loop, self.identifier) = (connection, loop, identifier)
    }

    func send(_ head: ResponseHead, _ bytes: ByteBuffer) async throws(BodyError) {
        try await perform { connection, identifier throws(BodyError) in
            try connection.answer(identifier, head, bytes)
        }
    }

    func begin(_ head: ResponseHead, length: Int64?) async throws(BodyError) {
        try await perform { connection, identifier throws(BodyError) in
            try connection.begin(identifier, head, length: length)
        }
    }

    func write(_ bytes: ByteBuffer) async throws(BodyError) {
        let hasRoom = try await perform { connection, identifier throws(BodyError) in
            try connection.write(identifier, bytes)
        }
        if hasRoom { return }
        let result = await withCheckedContinuation { continuation in
            onLoop { $0.waitForRoom(continuation) }
        }
        try result.get()
    }

    func finish() async throws(BodyError) {
        try await perform { connection, identifier throws(BodyError) in
            try connection.finish(identifier)
        }
    }

    func abort() async {
        onLoop { [identifier] in $0.abort(identifier) }
    }

    /// The next piece of the body. A cancelled wait ends at once and fails the body for good.
    func nextOfBody() async throws(BodyError) -> ByteBuffer? {
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                onLoop { [identifier] in $0.pull(identifier, continuation) }
            }
        } onCancel: {
            onLoop { [identifier] in $0.cancelPull(identifier) }
        }
        switch answer {
        case .bytes(let bytes): return bytes
        case .end: return nil
        case .failed(let error): throw error
        case .wait: throw BodyError(.disconnected, "The connection is closed.")
        }
    }

    /// Runs the handler, and says so when it has returned.
    func serve(
        _ request: IncomingRequest, _ framing: BodyFraming, by core: ServerCore, from source: SourceAddress?
    ) async {
        switch framing {
        case .none: await core.handler.handle(request, body: .empty, response: self)
        case .length(let length):
            let body = Body(length: length, source: SocketBody(exchange: self))
            await core.handler.handle(request, body: body, response: self)
        case .chunked:
            let body = Body(length: nil, source: SocketBody(exchange: self))
            await core.handler.handle(request, body: body, response: self)
        }
        core.counters.leaveRequest(source)
        onLoop { [identifier] in $0.handlerReturned(identifier) }
    }

    private func onLoop(_ work: @escaping @Sendable (ConnectionHandler) -> Void) {
        if loop.inEventLoop {
            work(connection.value)
        } else {
            loop.execute { [connection] in work(connection.value) }
        }
    }

    private func perform<Value: Sendable>(
        _ work: @escaping @Sendable (ConnectionHandler, UInt64) throws(BodyError) -> Value
    ) async throws(BodyError) -> Value {
        if loop.inEventLoop { return try work(connection.value, identifier) }
        let result: Result<Value, BodyError> = await withCheckedContinuation { continuation in
            loop.execute { [connection, identifier] in
                continuation.resume(
                    returning: Result { () throws(BodyError) in try work(connection.value, identifier) })
            }
        }
        return try result.get()
    }
}

/// The body of a request, pulled off its connection.
struct SocketBody: BodySource {
    let exchange: Exchange

    mutating func next() async throws(BodyError) -> ByteBuffer? {
        try await exchange.nextOfBody()
    }
}
