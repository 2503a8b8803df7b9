import NIOCore
import NIOSSL
import Primitives
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// The beginning and the end of a connection, and its timer.
extension ConnectionHandler {
    func activate(_ context: ChannelHandlerContext) {
        guard !isCounted else { return }
        isCounted = true
        let counters = core.counters
        counters.acceptedConnections.add(1, ordering: .relaxed)
        let opened = counters.openConnections.add(1, ordering: .relaxed).newValue
        let isServing = core.connections.add(context.channel)
        let source = SourceAddress(context.remoteAddress)
        guard opened <= core.settings.limits.connections,
            counters.connectionShares.enter(source, limit: core.settings.limits.connectionsPerAddress)
        else { return turnAway(context) }
        self.source = source
        guard isServing else { return context.close(promise: nil) }
        peerAddress = context.remoteAddress?.ipAddress ?? ""
        peerPort = context.remoteAddress?.port ?? 0
        scheduleTimer()
        perform(machine.start())
    }

    func deactivate(_ context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        guard isCounted else { return }
        isCounted = false
        core.counters.leave(core.counters.openConnections)
        core.counters.connectionShares.leave(source)
        source = nil
        core.connections.remove(context.channel)
    }

    /// One connection too many: it is told so where that needs no handshake, and closed at once.
    private func turnAway(_ context: ChannelHandlerContext) {
        core.refuse(.connections, context.remoteAddress?.ipAddress ?? "")
        if !isSecure {
            let answer = RefusalResponse.make(.tooManyConnections, requestID: core.environment.random())
            var bytes = ByteBuffer()
            ResponseHeadSerializer.write(
                answer.head, framing: .length(Int64(answer.body.readableBytes)), closes: true, date: core.httpDate,
                into: &bytes)
            bytes.writeImmutableBuffer(answer.body)
            context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        }
        context.close(promise: nil)
    }

    /// Closes so that the peer sees an error and not an end: a TCP reset, without a farewell of TLS.
    func reset(_ context: ChannelHandlerContext) {
        if let socket = context.channel as? any SocketOptionProvider {
            // Where the option cannot be set the connection closes all the same, and the peer misses bytes that were
            // announced.
            socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenFailure { _ in }
        }
        closeBelowTLS(context)
    }

    /// Closes the socket without a farewell of TLS, and without waiting for the peer's.
    func closeBelowTLS(_ context: ChannelHandlerContext) {
        guard isSecure else { return context.close(promise: nil) }
        do {
            try context.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self).close(promise: nil)
        } catch {
            // No TLS handler is left, so there is no farewell to keep back.
            context.close(promise: nil)
        }
    }

    /// Acknowledges the end of the handshake now: the server has nothing to send yet that could carry it, and a client
    /// that collects small segments would hold its first request back for the kernel's delay, 40 ms.
    func acknowledgeAtOnce(_ context: ChannelHandlerContext) {
        do {
            let option = ChannelOptions.Types.SocketOption(
                level: .tcp, name: NIOBSDSocket.Option(rawValue: TCP_QUICKACK))
            try context.channel.syncOptions?.setOption(option, value: 1)
        } catch {
            // Nothing but those milliseconds is lost.
        }
    }

    /// The leaf that the handshake verified, in DER.
    static func clientCertificate(_ context: ChannelHandlerContext) -> [UInt8]? {
        do {
            return try context.pipeline.syncOperations.nioSSL_peerCertificate()?.toDERBytes()
        } catch {
            // A certificate that cannot be written again identifies nobody.
            return nil
        }
    }

    /// The version that the handshake came to.
    static func tlsVersion(_ context: ChannelHandlerContext) -> String? {
        do {
            switch try context.pipeline.syncOperations.nioSSL_tlsVersion() {
            case .tlsv1: return "1.0"
            case .tlsv11: return "1.1"
            case .tlsv12: return "1.2"
            case .tlsv13: return "1.3"
            case nil: return nil
            }
        } catch {
            // No TLS handler is left: the connection is ending, and no request will ask.
            return nil
        }
    }

    /// Why a handshake failed. The TLS library names the usual mistake, a client that speaks HTTP to this port.
    static func handshakeFailure(_ error: any Error) -> String {
        let text = "\(error)"
        return text.contains("HTTP_REQUEST") ? "plain HTTP came to a port for TLS" : text
    }

    // MARK: - Time

    /// One timer a connection, re-armed when it fires rather than at every request: no time is shorter than `shortest`,
    /// so none can be missed.
    func scheduleTimer() {
        guard let context, !machine.isClosed else { return }
        let current = now
        let latest = current + core.settings.shortest
        let next = max(min(machine.deadline ?? latest, latest), current)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(Int64(next - current) + 1)) {
            self.tick()
        }
    }

    private func tick() {
        guard let context else { return }
        let current = now
        perform(machine.timedOut(current))
        let isStalled = writeMeter.isStalled(
            waiting: Self.bufferedBytes(context), interval: core.settings.progress,
            minimum: core.settings.progressBytes, current)
        if isStalled { perform(machine.outputStalled()) }
        scheduleTimer()
    }

    private static func bufferedBytes(_ context: ChannelHandlerContext) -> Int {
        do {
            return try context.channel.syncOptions?.getOption(ChannelOptions.bufferedWritableBytes) ?? 0
        } catch {
            // A channel that cannot tell (in memory) keeps nothing back.
            return 0
        }
    }
}
