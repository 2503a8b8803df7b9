import NIOCore
import Primitives

/// The life of one HTTP/1.1 connection, without any I/O: events go in, actions come out.
///
/// A request's head is parsed only after the answer before it was finished, its body read whole or thrown away, and its
/// handler has returned; until then pipelined bytes wait in one buffer and nothing more is read. The body is handed on
/// piece by piece as the handler asks, with at most one receive buffer read ahead. (The page OwnHTTPCodec says why the
/// codec is our own.)
package struct ConnectionStateMachine: Sendable {
    enum Input: Sendable, Equatable {
        /// TLS is being set up.
        case handshake
        /// A head is awaited, or incomplete.
        case head
        /// The handler may ask for the body.
        case body
        /// The body is whole.
        case complete
        /// The answer is finished and the rest of the body is thrown away.
        case discarding
        /// The last answer is finished; everything that comes is thrown away until the client closes.
        case lingering
        /// Nothing matters any more.
        case closed
    }

    enum Output: Sendable, Equatable {
        case idle
        case awaitingHead
        case streaming(ResponseFraming)
        case finished
    }

    /// What is known of the request being served.
    struct Exchange: Sendable {
        let identifier: UInt64
        let isHead: Bool
        let minorVersion: Int
        let asksToClose: Bool
        /// The client waits for `100 Continue`, which was not sent yet.
        var owesContinue: Bool
        /// The client waits for `100 Continue` although it has no body to send: it gets that ahead of the answer.
        /// Clients that botocore serves take an answer without it for the last one of the connection, and then misread
        /// the next.
        var greetsAnswer = false
        var handlerIsRunning = true
        var bodyWasAsked = false
        /// Set for good by the first failure of the body.
        var bodyFailure: BodyError?
    }

    let settings: ConnectionSettings
    var input: Input
    var output = Output.idle
    var exchange: Exchange?
    /// Bytes received and not used yet.
    var inbound = ByteBuffer()
    var parser: RequestHeadParser
    var reader = BodyReader.length(0)
    var meter: ProgressMeter
    /// The head of an answer that waits for the first bytes of its body.
    var pendingHead: ByteBuffer?
    /// The bytes of a body of known length that are still to be written.
    var unwritten: Int64 = 0
    /// How many more bytes may be thrown away.
    var discardBudget: Int64 = 0
    var bodyIsAwaited = false
    var readIsPending = false
    /// The peer has closed its sending side.
    var inputEnded = false
    /// The connection ends after this answer.
    var closesAfterAnswer = false
    var isDraining = false
    /// When the handshake, the idle time, the head or the lingering began.
    var phaseStart: UInt64
    var headHasStarted = false
    /// All that was received of the next head was looked at: more is needed.
    var headIsStarved = true
    /// Everything before the lingering was sent, so its time runs.
    var lingerIsTimed = false
    private var lastIdentifier: UInt64 = 0

    package init(settings: ConnectionSettings, isSecure: Bool, now: UInt64) {
        self.settings = settings
        input = isSecure ? .handshake : .head
        parser = RequestHeadParser(limits: settings.limits)
        meter = ProgressMeter(interval: settings.progress, minimum: settings.progressBytes)
        phaseStart = now
    }

    /// The request being served, to tell late calls for an earlier one apart.
    package var exchangeIdentifier: UInt64? { exchange?.identifier }

    /// Whether nothing more will happen.
    package var isClosed: Bool { input == .closed }

    /// Whether TLS is still being set up.
    package var isHandshaking: Bool { input == .handshake }

    /// Whether the request being served has a handler that has not returned.
    package var handlerIsRunning: Bool { exchange?.handlerIsRunning == true }

    // MARK: - From head to head

    /// The connection can be read from.
    package mutating func start() -> ConnectionActions {
        var actions = ConnectionActions()
        askForMore(&actions)
        return actions
    }

    /// The TLS handshake succeeded.
    package mutating func handshakeCompleted(_ now: UInt64) -> ConnectionActions {
        var actions = ConnectionActions()
        guard input == .handshake else { return actions }
        input = .head
        phaseStart = now
        actions.flags.insert(.advance)
        return actions
    }

    /// Parses the next head if it is time for it. Called whenever an action asks for it and when output has room again.
    ///
    /// Where it returns a request, the caller starts the handler, or answers itself.
    package mutating func advance(isWritable: Bool, _ now: UInt64) -> ConnectionActions {
        var actions = ConnectionActions()
        guard input == .head, exchange == nil, isWritable else { return actions }
        if inbound.readableBytes > 0, !headHasStarted { startHead(now) }
        do {
            if let request = try parser.parse(&inbound) {
                open(request)
                actions.request = request
            } else {
                headIsStarved = true
                if inputEnded { close(&actions) }
            }
        } catch {
            refuse(error, &actions)
        }
        releaseInbound()
        askForMore(&actions)
        return actions
    }

    mutating func startHead(_ now: UInt64) {
        headHasStarted = true
        phaseStart = now
    }

    private mutating func open(_ request: ParsedRequest) {
        lastIdentifier += 1
        exchange = Exchange(
            identifier: lastIdentifier, isHead: request.head.method == "HEAD", minorVersion: request.minorVersion,
            asksToClose: request.closes, owesContinue: request.expectsContinue && request.framing != .none,
            greetsAnswer: request.expectsContinue && request.framing == .none)
        reader = BodyReader(request.framing)
        meter = ProgressMeter(interval: settings.progress, minimum: settings.progressBytes)
        input = request.framing == .none ? .complete : .body
        output = .awaitingHead
    }

    /// The handler has returned, having answered or not.
    package mutating func handlerReturned(_ identifier: UInt64, _ now: UInt64) -> ConnectionActions {
        var actions = ConnectionActions()
        guard exchange?.identifier == identifier else { return actions }
        exchange?.handlerIsRunning = false
        switch output {
        case .awaitingHead:
            closesAfterAnswer = true
            actions.refusal = Self.unanswered
        case .streaming:
            terminate(BodyError(.incomplete, "The answer was not finished."), &actions)
            actions.flags.insert(.reset)
        case .idle, .finished: break
        }
        openNextIfDone(now, &actions)
        return actions
    }

    /// The request will be answered without a handler, by `answer`.
    package mutating func declineHandler() {
        exchange?.handlerIsRunning = false
    }

    /// Gets ready for the next head once answer, body and handler are done.
    mutating func openNextIfDone(_ now: UInt64, _ actions: inout ConnectionActions) {
        guard output == .finished, input == .complete, exchange?.handlerIsRunning == false else { return }
        exchange = nil
        output = .idle
        input = .head
        headHasStarted = false
        headIsStarved = false
        phaseStart = now
        actions.flags.insert(.advance)
    }

    /// Asks the owner to `answer` a head that was refused; the connection ends after that.
    mutating func refuse(_ refusal: RequestRefusal, _ actions: inout ConnectionActions) {
        lastIdentifier += 1
        exchange = Exchange(
            identifier: lastIdentifier, isHead: false, minorVersion: 1, asksToClose: true, owesContinue: false,
            handlerIsRunning: false)
        input = .complete
        output = .awaitingHead
        actions.refusal = refusal
    }

    private static let unanswered = RequestRefusal(
        .unanswered, status: 500, code: "InternalError", "We encountered an internal error. Please try again.")
}
