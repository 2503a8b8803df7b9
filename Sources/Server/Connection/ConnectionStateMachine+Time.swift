import Primitives

/// What time does, and the server's own end.
extension ConnectionStateMachine {
    /// When `timedOut` is to be called next, if nothing happens before; nil while the peer is not waited for.
    package var deadline: UInt64? {
        switch input {
        case .handshake: phaseStart + settings.handshake
        case .head: phaseStart + (headHasStarted ? settings.head : settings.idle)
        case .body: bodyIsAwaited ? meter.deadline : nil
        case .discarding: meter.deadline
        case .lingering: lingerIsTimed ? phaseStart + settings.linger : nil
        case .complete, .closed: nil
        }
    }

    /// Cuts off whoever took too long. Without effect before the deadline.
    package mutating func timedOut(_ now: UInt64) -> ConnectionActions {
        var actions = ConnectionActions()
        guard let deadline, deadline <= now else { return actions }
        switch input {
        case .handshake:
            actions.refused = .handshake
            close(&actions)
        case .head where headHasStarted: refuse(.headTimeout, &actions)
        case .head, .lingering: close(&actions)
        case .body where meter.isStalled(now):
            let failure = BodyError(.timedOut, "The body was sent too slowly.")
            exchange?.bodyFailure = failure
            bodyIsAwaited = false
            actions.body = .failed(failure)
            actions.refused = .slowPeer
        case .discarding where meter.isStalled(now):
            actions.refused = .slowPeer
            close(&actions)
        case .body, .discarding, .complete, .closed: break
        }
        return actions
    }

    /// The peer has not taken enough of what waits to be sent.
    package mutating func outputStalled() -> ConnectionActions {
        var actions = ConnectionActions()
        guard input != .closed else { return actions }
        actions.refused = .slowPeer
        terminate(BodyError(.timedOut, "The answer was taken too slowly."), &actions)
        actions.flags.insert(.reset)
        return actions
    }

    /// The server is stopping: an idle connection closes now, another one after its answer.
    package mutating func drain() -> ConnectionActions {
        var actions = ConnectionActions()
        isDraining = true
        if input == .handshake || (input == .head && !headHasStarted) { close(&actions) }
        return actions
    }

    /// The time to stop is over.
    package mutating func cut() -> ConnectionActions {
        var actions = ConnectionActions()
        guard input != .closed else { return actions }
        terminate(BodyError(.cancelled, "The server is stopping."), &actions)
        actions.flags.insert(.reset)
        return actions
    }
}
