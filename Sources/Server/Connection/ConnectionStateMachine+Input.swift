package import NIOCore
import Primitives

/// What comes from the peer, and the handler that asks for the body.
extension ConnectionStateMachine {
    /// Bytes came from the socket.
    package mutating func received(_ bytes: consuming ByteBuffer, _ now: UInt64) -> ConnectionActions {
        var actions = ConnectionActions()
        let count = bytes.readableBytes
        if input == .lingering {
            discardBudget -= Int64(count)
            if discardBudget < 0 { close(&actions) }
            return actions
        }
        guard input != .closed else { return actions }
        if inbound.readableBytes == 0 { inbound = bytes } else { inbound.writeBuffer(&bytes) }
        switch input {
        case .handshake, .complete, .lingering, .closed: break
        case .head:
            if !headHasStarted { startHead(now) }
            headIsStarved = false
            actions.flags.insert(.advance)
        case .body:
            meter.received(count, now)
            answerAwaitedBody(now, &actions)
        case .discarding:
            meter.received(count, now)
            discard(now, &actions)
        }
        return actions
    }

    /// The socket has delivered what it was asked for.
    package mutating func readCompleted() -> ConnectionActions {
        var actions = ConnectionActions()
        readIsPending = false
        askForMore(&actions)
        return actions
    }

    /// The peer has closed its sending side.
    package mutating func inputClosed(_ now: UInt64) -> ConnectionActions {
        var actions = ConnectionActions()
        inputEnded = true
        switch input {
        case .handshake, .lingering: close(&actions)
        case .head: actions.flags.insert(.advance)
        case .body: answerAwaitedBody(now, &actions)
        case .discarding: discard(now, &actions)
        case .complete, .closed: break
        }
        return actions
    }

    /// The connection is gone.
    package mutating func disconnected() -> ConnectionActions {
        var actions = ConnectionActions()
        terminate(BodyError(.disconnected, "The client closed the connection."), &actions)
        return actions
    }

    // MARK: - The body

    /// The handler asks for the next piece of the body.
    package mutating func demandBody(
        _ identifier: UInt64, _ now: UInt64
    ) -> (answer: ConnectionActions.BodyAnswer, actions: ConnectionActions) {
        var actions = ConnectionActions()
        guard exchange?.identifier == identifier, input != .closed else {
            return (.failed(BodyError(.disconnected, "The connection is closed.")), actions)
        }
        if let failure = exchange?.bodyFailure { return (.failed(failure), actions) }
        switch input {
        case .complete: return (.end, actions)
        case .body:
            exchange?.bodyWasAsked = true
            let answer = pullBody(now, &actions)
            askForMore(&actions)
            return (answer, actions)
        case .handshake, .head, .discarding, .lingering, .closed:
            return (.failed(BodyError(.disconnected, "The answer was finished before the body was read.")), actions)
        }
    }

    /// The handler's wait for the body was cancelled: the body has failed for good.
    package mutating func cancelBody(_ identifier: UInt64) -> ConnectionActions {
        var actions = ConnectionActions()
        guard exchange?.identifier == identifier, exchange?.bodyFailure == nil else { return actions }
        let failure = BodyError(.cancelled, "The task that read the body was cancelled.")
        exchange?.bodyFailure = failure
        guard bodyIsAwaited else { return actions }
        bodyIsAwaited = false
        actions.body = .failed(failure)
        return actions
    }

    /// Answers a handler that waits, if it can be answered now.
    private mutating func answerAwaitedBody(_ now: UInt64, _ actions: inout ConnectionActions) {
        guard bodyIsAwaited else { return }
        bodyIsAwaited = false
        let answer = pullBody(now, &actions)
        if case .wait = answer { return }
        actions.body = answer
    }

    private mutating func pullBody(
        _ now: UInt64, _ actions: inout ConnectionActions
    ) -> ConnectionActions.BodyAnswer {
        do {
            switch try reader.next(&inbound) {
            case .bytes(let bytes):
                if reader.remaining == 0 { input = .complete }
                releaseInbound()
                return .bytes(bytes)
            case .end:
                input = .complete
                releaseInbound()
                return .end
            case .needsMore: break
            }
        } catch {
            return fail(BodyError(.malformed, error.message))
        }
        releaseInbound()
        guard !inputEnded else {
            return fail(BodyError(.incomplete, "The connection ended before the whole body came."))
        }
        if exchange?.owesContinue == true {
            guard output == .awaitingHead else {
                return fail(BodyError(.incomplete, "The body was not asked for before the answer began."))
            }
            exchange?.owesContinue = false
            actions.prefix = ResponseHeadSerializer.continueResponse
            actions.flags.insert(.flush)
        }
        bodyIsAwaited = true
        meter.startWaiting(now)
        return .wait
    }

    private mutating func fail(_ failure: BodyError) -> ConnectionActions.BodyAnswer {
        exchange?.bodyFailure = failure
        return .failed(failure)
    }

    /// Throws away what is left of the body of an answered request.
    mutating func discard(_ now: UInt64, _ actions: inout ConnectionActions) {
        while discardBudget >= 0 {
            do {
                switch try reader.next(&inbound) {
                case .bytes(let bytes): discardBudget -= Int64(bytes.readableBytes)
                case .end:
                    input = .complete
                    releaseInbound()
                    openNextIfDone(now, &actions)
                    return
                case .needsMore:
                    releaseInbound()
                    guard !inputEnded else { return linger(&actions) }
                    meter.startWaiting(now)
                    return
                }
            } catch {
                // There is nobody to tell: the request was answered. Closing says it.
                break
            }
        }
        linger(&actions)
    }

    // MARK: - Reading

    /// Gives the storage of used bytes back: an idle connection holds none.
    mutating func releaseInbound() {
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
    }

    /// Asks for more bytes where someone can use them.
    mutating func askForMore(_ actions: inout ConnectionActions) {
        guard !readIsPending, !inputEnded, wantsBytes else { return }
        readIsPending = true
        actions.flags.insert(.read)
    }

    private var wantsBytes: Bool {
        switch input {
        case .handshake, .discarding, .lingering: true
        case .head: headIsStarved
        case .body: bodyIsAwaited || (exchange?.bodyWasAsked == true && inbound.readableBytes == 0)
        // What comes while a request is being served is the next one, or the end of the connection: to listen on costs
        // less than to stop and begin again.
        case .complete: inbound.readableBytes == 0
        case .closed: false
        }
    }
}
