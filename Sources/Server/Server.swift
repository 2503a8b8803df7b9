import NIOCore
import NIOPosix
import NIOSSL
package import Primitives
import Synchronization

/// The front: listens, and hands each request to a handler.
///
/// It speaks HTTP/1.1 and 1.0, plain or over TLS 1.2 and 1.3. `drain` stops it; a server that was started must be
/// drained.
package final class Server: Sendable {
    /// The port that it listens on.
    package let boundPort: Int

    private let listener: any Channel
    private let group: MultiThreadedEventLoopGroup
    private let core: ServerCore
    private let tls: TLSContexts?
    private let phase = Mutex(Phase.serving)

    private enum Phase {
        case serving
        case draining
        case stopped
    }

    private init(
        port: Int, listener: any Channel, group: MultiThreadedEventLoopGroup, core: ServerCore, tls: TLSContexts?
    ) {
        (boundPort, self.listener, self.group, self.core, self.tls) = (port, listener, group, core, tls)
    }

    /// Starts to listen.
    ///
    /// - Throws: `ServerError` where the address is not free or the certificates cannot be used.
    package static func start(
        _ configuration: ServerConfiguration, handler: any RequestHandler, environment: any Environment
    ) async throws(ServerError) -> Server {
        let tls: TLSContexts? =
            if let settings = configuration.tls { try await TLSContexts(settings) } else { nil }
        let core = ServerCore(configuration: configuration, handler: handler, environment: environment)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads ?? System.coreCount)
        do {
            let listener = try await bootstrap(configuration, group, core, tls)
                .bind(host: configuration.host, port: configuration.port).get()
            return Server(
                port: listener.localAddress?.port ?? configuration.port, listener: listener, group: group, core: core,
                tls: tls)
        } catch {
            await shutDown(group)
            throw ServerError(binding: configuration, error)
        }
    }

    /// Reads the files of TLS as a start does, and forgets them.
    ///
    /// - Throws: `ServerError` of kind `certificates` where they cannot be used.
    package static func check(_ tls: TLSSettings) async throws(ServerError) {
        _ = try await TLSContexts(tls)
    }

    /// The counters at this moment.
    package var counters: ServerCounterValues { core.counterValues }

    /// Reads the certificates again, for the connections that come from now on. Without effect for a server without
    /// TLS.
    ///
    /// - Throws: `ServerError` of kind `certificates`; the ones in use then stay.
    package func reloadTLS() async throws(ServerError) {
        try await tls?.reload()
    }

    /// Stops: takes no more connections, closes idle ones, ends every other one with its answer, and returns once all
    /// are closed and all handlers have returned.
    ///
    /// After `deadline` the connections that are left are cut and their requests cancelled; a handler that ignores its
    /// cancellation is waited for one second more. A cancelled drain cuts at once. A second call while the first is
    /// under way cuts as well, and returns without waiting; one after it does nothing.
    ///
    /// - Returns: How many requests were cut.
    @discardableResult
    package func drain(deadline: Duration) async -> Int {
        let before = phase.withLock { phase in
            defer { if phase == .serving { phase = .draining } }
            return phase
        }
        guard before == .serving else {
            return before == .draining ? cut() : 0
        }
        do {
            try await listener.close().get()
        } catch {
            // It was closed before, which is what was wanted.
        }
        core.connections.tellAll(.drain)
        var requestsCut = 0
        if !(await isQuiet(within: deadline)) {
            requestsCut = cut()
            _ = await isQuiet(within: .seconds(1))
        }
        phase.withLock { $0 = .stopped }
        await Self.shutDown(group)
        return requestsCut
    }

    /// Cuts every connection, and returns how many requests were under way.
    private func cut() -> Int {
        let requests = core.counterValues.requestsInFlight
        core.connections.tellAll(.cut)
        return requests
    }

    /// Waits until nothing is open or in flight, and returns whether that came in time.
    private func isQuiet(within limit: Duration) async -> Bool {
        let start = core.environment.monotonicNanoseconds()
        while !core.connections.isEmpty || core.counterValues.requestsInFlight > 0 {
            let passed = core.environment.monotonicNanoseconds() - start
            guard Duration.nanoseconds(Int64(clamping: passed)) < limit else { return false }
            do {
                try await core.environment.sleep(for: .milliseconds(10))
            } catch {
                return false
            }
        }
        return true
    }

    private static func shutDown(_ group: MultiThreadedEventLoopGroup) async {
        do {
            try await group.shutdownGracefully()
        } catch {
            // The threads end with the process then; there is nothing left that they could do.
        }
    }

    private static func bootstrap(
        _ configuration: ServerConfiguration, _ group: MultiThreadedEventLoopGroup, _ core: ServerCore,
        _ tls: TLSContexts?
    ) -> ServerBootstrap {
        let limits = configuration.limits
        let watermarks = ChannelOptions.Types.WriteBufferWaterMark(
            low: limits.writeWatermarks.lowerBound, high: limits.writeWatermarks.upperBound)
        return ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: configuration.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.writeBufferWaterMark, value: watermarks)
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: 2048, initial: 4096, maximum: max(limits.receiveBytes, 4096))
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls.current)) }
                    try pipeline.addHandler(ConnectionHandler(core: core, isSecure: tls != nil))
                }
            }
    }
}
