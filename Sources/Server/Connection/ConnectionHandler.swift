package import NIOCore
import NIOSSL
import NIOTLS
import Primitives
import Synchronization

/// Carries a connection's events into its state machine, and performs what that returns.
///
/// It lives on its event loop. Nothing it calls while the state machine is being changed can call back into it; what
/// re-enters (`channelWritabilityChanged` out of a flush, a handler that answers at once) finds the machine at rest.
package final class ConnectionHandler: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// Requests answered in one go before the other connections of the event loop get a turn.
    private static let requestsPerTurn = 16

    /// The methods of requests that only ask for something.
    private static let asking: Set<String> = ["GET", "HEAD", "DELETE"]

    let core: ServerCore
    let isSecure: Bool
    var machine: ConnectionStateMachine
    var context: ChannelHandlerContext?
    private var task: Task<Void, Never>?
    /// Runs tasks on the connection's event loop.
    private var executor: EventLoopExecutor?
    private var bodyWaiter: CheckedContinuation<ConnectionActions.BodyAnswer, Never>?
    private var writers: [CheckedContinuation<Result<Void, BodyError>, Never>] = []
    var timer: Scheduled<Void>?
    var writeMeter = WriteMeter()
    private var isAdvancing = false
    private var wantsToAdvance = false
    var isCounted = false
    var peerAddress = ""
    /// Whose places the connection has taken; nil where it has taken none.
    var source: SourceAddress?
    var peerPort = 0
    var clientCertificate: [UInt8]?
    var tlsVersion: String?

    package init(core: ServerCore, isSecure: Bool) {
        self.core = core
        self.isSecure = isSecure
        machine = ConnectionStateMachine(
            settings: core.settings, isSecure: isSecure, now: core.environment.monotonicNanoseconds())
    }

    var now: UInt64 { core.environment.monotonicNanoseconds() }

    // MARK: - Events of the channel

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        executor = EventLoopExecutor(context.eventLoop)
        if context.channel.isActive { activate(context) }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    package func channelActive(context: ChannelHandlerContext) {
        activate(context)
        context.fireChannelActive()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        perform(machine.disconnected())
        deactivate(context)
        context.fireChannelInactive()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        core.counters.bytesReceived.add(bytes.readableBytes, ordering: .relaxed)
        perform(machine.received(bytes, now))
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        perform(machine.readCompleted())
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        resumeWriters(.success(()))
        advance()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            if machine.isClosed, isSecure { return closeBelowTLS(context) }
            perform(machine.inputClosed(now))
        case TLSUserEvent.handshakeCompleted(_):
            clientCertificate = Self.clientCertificate(context)
            tlsVersion = Self.tlsVersion(context)
            acknowledgeAtOnce(context)
            perform(machine.handshakeCompleted(now))
        case ConnectionRegistry.Event.drain: perform(machine.drain())
        case ConnectionRegistry.Event.cut: perform(machine.cut())
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is NIOSSLError || error is BoringSSLError, machine.isHandshaking {
            core.refuse(.handshake, peerAddress, Self.handshakeFailure(error))
        }
        // The connection cannot be trusted after any error; there is nobody to tell but whoever waits on it.
        perform(machine.disconnected())
        context.close(promise: nil)
    }

    // MARK: - Calls of the request's handler

    func answer(_ identifier: UInt64, _ head: ResponseHead, _ bytes: ByteBuffer) throws(BodyError) {
        perform(try machine.answer(identifier, head, bytes, date: core.httpDate, now))
    }

    func begin(_ identifier: UInt64, _ head: ResponseHead, length: Int64?) throws(BodyError) {
        try machine.begin(identifier, head, length: length, date: core.httpDate)
    }

    /// Writes, and returns whether there is room for more.
    func write(_ identifier: UInt64, _ bytes: ByteBuffer) throws(BodyError) -> Bool {
        let actions = try machine.write(identifier, bytes)
        perform(actions)
        if let failure = actions.writersFailure { throw failure }
        return context?.channel.isWritable ?? true
    }

    func finish(_ identifier: UInt64) throws(BodyError) {
        let actions = try machine.finish(identifier, now)
        perform(actions)
        if machine.isClosed, let failure = actions.writersFailure, actions.flags.contains(.reset) { throw failure }
    }

    func abort(_ identifier: UInt64) {
        perform(machine.abort(identifier))
    }

    func waitForRoom(_ continuation: CheckedContinuation<Result<Void, BodyError>, Never>) {
        guard let context, !machine.isClosed else {
            return continuation.resume(returning: .failure(BodyError(.disconnected, "The connection is closed.")))
        }
        if context.channel.isWritable { return continuation.resume(returning: .success(())) }
        writers.append(continuation)
    }

    func pull(_ identifier: UInt64, _ continuation: CheckedContinuation<ConnectionActions.BodyAnswer, Never>) {
        guard bodyWaiter == nil else {
            return continuation.resume(returning: .failed(BodyError(.malformed, "The body has another reader.")))
        }
        let (answer, actions) = machine.demandBody(identifier, now)
        if case .wait = answer { bodyWaiter = continuation } else { continuation.resume(returning: answer) }
        perform(actions)
    }

    func cancelPull(_ identifier: UInt64) {
        perform(machine.cancelBody(identifier))
    }

    func handlerReturned(_ identifier: UInt64) {
        task = nil
        perform(machine.handlerReturned(identifier, now))
    }

    // MARK: - Performing

    func perform(_ actions: ConnectionActions) {
        write(actions)
        // Before whoever waits is woken, so that it finds its task cancelled.
        if actions.flags.contains(.cancelTask) { task?.cancel() }
        if let body = actions.body {
            bodyWaiter?.resume(returning: body)
            bodyWaiter = nil
        }
        if let failure = actions.writersFailure { resumeWriters(.failure(failure)) }
        if let reason = actions.refused { core.refuse(reason, peerAddress) }
        let flags = actions.flags
        if flags.contains(.reset) {
            context.map(reset)
        } else if flags.contains(.close) {
            context?.close(promise: nil)
        } else if flags.contains(.closeOutput) {
            context?.close(mode: .output, promise: nil)
        }
        if flags.contains(.read) { context?.read() }
        if let refusal = actions.refusal { answer(refusal) }
        if let request = actions.request { start(request) }
        if flags.contains(.advance) { advance() }
    }

    private func write(_ actions: ConnectionActions) {
        guard let context else { return }
        var count = 0
        for bytes in [actions.prefix, actions.data, actions.suffix] {
            guard let bytes else { continue }
            count += bytes.readableBytes
            context.write(wrapOutboundOut(bytes), promise: nil)
        }
        if count > 0 {
            core.counters.bytesSent.add(count, ordering: .relaxed)
            writeMeter.wrote(count)
        }
        if actions.flags.contains(.reportFlush) {
            let promise = context.eventLoop.makePromise(of: Void.self)
            promise.futureResult.assumeIsolated().whenComplete { _ in
                self.perform(self.machine.outputFlushed(self.now))
            }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
        } else if actions.flags.contains(.flush) {
            context.flush()
        }
    }

    private func resumeWriters(_ result: Result<Void, BodyError>) {
        let waiting = writers
        writers = []
        for writer in waiting { writer.resume(returning: result) }
    }

    /// Parses and serves what is there, one request after the other, without growing the stack by a request that a
    /// handler answers before it returns.
    private func advance() {
        wantsToAdvance = true
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        var served = 0
        while wantsToAdvance, let context {
            guard served < Self.requestsPerTurn else {
                context.eventLoop.assumeIsolated().execute { self.advance() }
                return
            }
            served += 1
            wantsToAdvance = false
            perform(machine.advance(isWritable: context.channel.isWritable, now))
        }
    }

    private func answer(_ refusal: RequestRefusal) {
        guard let identifier = machine.exchangeIdentifier else { return }
        core.refuse(refusal.reason, peerAddress)
        let answer = RefusalResponse.make(refusal, requestID: core.environment.random())
        do {
            try self.answer(identifier, answer.head, answer.body)
        } catch {
            // The connection is gone, and with it whoever would have read the refusal.
            context?.close(promise: nil)
        }
    }

    private func start(_ request: ParsedRequest) {
        guard let context, let identifier = machine.exchangeIdentifier else { return }
        let counters = core.counters
        guard counters.enterRequest(source, core.settings.limits) else {
            machine.declineHandler()
            return answer(.slowDown)
        }
        counters.requests.add(1, ordering: .relaxed)
        let loop = context.eventLoop
        let exchange = Exchange(NIOLoopBound(self, eventLoop: loop), loop: loop, identifier: identifier)
        let incoming = IncomingRequest(
            head: request.head, peerAddress: peerAddress, peerPort: peerPort, isSecure: isSecure,
            tlsVersion: tlsVersion, clientCertificate: clientCertificate)
        let framing = request.framing
        let (core, source) = (core, source)
        // Begins on this thread: what is answered from memory costs no hop. After a suspension a request that only asks
        // goes on here, and one that may bring much to compute elsewhere.
        let staysHere = framing == .none && Self.asking.contains(request.head.method)
        let started = Task.immediate(executorPreference: staysHere ? executor : nil) {
            await exchange.serve(incoming, framing, by: core, from: source)
        }
        if machine.exchangeIdentifier == identifier, machine.handlerIsRunning { task = started }
    }
}
