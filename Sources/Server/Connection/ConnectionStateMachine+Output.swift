package import NIOCore
package import Primitives

/// What goes to the peer.
extension ConnectionStateMachine {
    /// A body up to this size is copied behind its head, so that both leave in one piece.
    private static let coalescedBytes = 32 << 10

    /// Sends a whole answer.
    ///
    /// - Throws: `BodyError` of kind `disconnected` where the connection is gone, `malformed` where an answer was begun
    ///   before.
    package mutating func answer(
        _ identifier: UInt64, _ head: ResponseHead, _ bytes: ByteBuffer, date: String, _ now: UInt64
    ) throws(BodyError) -> ConnectionActions {
        try checkMayBegin(identifier)
        var actions = ConnectionActions()
        discardBudget = settings.limits.discardedBodyBytes
        if input == .body, exchange?.owesContinue == false, exchange?.bodyFailure == nil {
            input = .discarding
            discard(now, &actions)
        }
        let count = bytes.readableBytes
        let isHead = exchange?.isHead == true
        let framing = ResponseFraming(
            length: isHead && count == 0 ? nil : Int64(count), status: head.status, isHead: isHead,
            minorVersion: exchange?.minorVersion ?? 1)
        var hasBody = false
        if case .length = framing { hasBody = count > 0 }
        decideWhetherToClose(framing, isWhole: true)
        let isCoalesced = hasBody && count <= Self.coalescedBytes
        var prefix = ByteBufferAllocator().buffer(capacity: 512 + (isCoalesced ? count : 0))
        greet(&prefix)
        ResponseHeadSerializer.write(head, framing: framing, closes: closesAfterAnswer, date: date, into: &prefix)
        if isCoalesced { prefix.writeImmutableBuffer(bytes) } else if hasBody { actions.data = bytes }
        actions.prefix = prefix
        finishAnswer(now, &actions)
        return actions
    }

    /// Begins an answer whose bytes follow. Its head waits for the first of them, or for the end.
    ///
    /// - Throws: As `answer`.
    package mutating func begin(
        _ identifier: UInt64, _ head: ResponseHead, length: Int64?, date: String
    ) throws(BodyError) {
        try checkMayBegin(identifier)
        let framing = ResponseFraming(
            length: length, status: head.status, isHead: exchange?.isHead == true,
            minorVersion: exchange?.minorVersion ?? 1)
        decideWhetherToClose(framing, isWhole: false)
        var prefix = ByteBufferAllocator().buffer(capacity: 1024)
        greet(&prefix)
        ResponseHeadSerializer.write(head, framing: framing, closes: closesAfterAnswer, date: date, into: &prefix)
        pendingHead = prefix
        unwritten = length ?? 0
        output = .streaming(framing)
    }

    /// Sends bytes of the body.
    ///
    /// - Throws: `BodyError` of kind `disconnected` where the connection is gone, `malformed` where no answer was
    ///   begun.
    package mutating func write(_ identifier: UInt64, _ bytes: ByteBuffer) throws(BodyError) -> ConnectionActions {
        let framing = try streamingFraming(identifier)
        var actions = ConnectionActions()
        let count = bytes.readableBytes
        guard count > 0 else { return actions }
        var prefix = pendingHead
        pendingHead = nil
        switch framing {
        case .bodiless:
            pendingHead = prefix
            return actions
        case .length:
            unwritten -= Int64(count)
            guard unwritten >= 0 else {
                terminate(BodyError(.tooLarge, "More bytes were written than announced."), &actions)
                actions.flags.insert(.reset)
                return actions
            }
        case .chunked:
            var line = prefix ?? ByteBufferAllocator().buffer(capacity: 16)
            line.writeString(String(count, radix: 16))
            line.writeString("\r\n")
            prefix = line
            actions.suffix = Self.lineEnd
        case .untilClose: break
        }
        if var head = prefix, count <= Self.coalescedBytes {
            head.writeImmutableBuffer(bytes)
            actions.prefix = head
        } else {
            actions.prefix = prefix
            actions.data = bytes
        }
        actions.flags.insert(.flush)
        return actions
    }

    /// Ends the body.
    ///
    /// - Throws: `BodyError` as `write`.
    package mutating func finish(_ identifier: UInt64, _ now: UInt64) throws(BodyError) -> ConnectionActions {
        let framing = try streamingFraming(identifier)
        var actions = ConnectionActions()
        actions.prefix = pendingHead
        pendingHead = nil
        switch framing {
        case .length where unwritten > 0:
            actions.prefix = nil
            terminate(BodyError(.incomplete, "Fewer bytes were written than announced."), &actions)
            actions.flags.insert(.reset)
            return actions
        case .chunked: actions.suffix = Self.lastChunk
        case .length, .bodiless, .untilClose: break
        }
        discardBudget = settings.limits.discardedBodyBytes
        if input == .body, exchange?.owesContinue == false, exchange?.bodyFailure == nil, !closesAfterAnswer {
            input = .discarding
            discard(now, &actions)
        }
        if input == .discarding, let remaining = reader.remaining, remaining > discardBudget {
            closesAfterAnswer = true
        }
        finishAnswer(now, &actions)
        return actions
    }

    /// Resets the connection.
    package mutating func abort(_ identifier: UInt64) -> ConnectionActions {
        var actions = ConnectionActions()
        guard exchange?.identifier == identifier, input != .closed else { return actions }
        terminate(BodyError(.disconnected, "The answer was aborted."), &actions)
        actions.flags.insert(.reset)
        return actions
    }

    // MARK: - Checks

    private func checkMayBegin(_ identifier: UInt64) throws(BodyError) {
        guard exchange?.identifier == identifier, input != .closed else { throw Self.gone }
        guard output == .awaitingHead else { throw BodyError(.malformed, "The answer was begun before.") }
    }

    private func streamingFraming(_ identifier: UInt64) throws(BodyError) -> ResponseFraming {
        guard exchange?.identifier == identifier, input != .closed else { throw Self.gone }
        guard case .streaming(let framing) = output else {
            throw BodyError(.malformed, "No answer was begun, or it was finished.")
        }
        return framing
    }

    /// Decides, while the head can still say so, whether this answer is the connection's last.
    private mutating func decideWhetherToClose(_ framing: ResponseFraming, isWhole: Bool) {
        guard let exchange else { return }
        if exchange.asksToClose || isDraining || framing == .untilClose || exchange.owesContinue
            || exchange.bodyFailure != nil || (inputEnded && inbound.readableBytes == 0)
        {
            closesAfterAnswer = true
        }
        if input == .lingering { closesAfterAnswer = true }
        // A handler that has begun to read is trusted to read to the end; finishing decides again.
        if input == .discarding || (input == .body && !isWhole && !exchange.bodyWasAsked) {
            let bound = isWhole ? discardBudget : settings.limits.discardedBodyBytes
            if (reader.remaining ?? .max) > bound { closesAfterAnswer = true }
        }
    }

    private func greet(_ prefix: inout ByteBuffer) {
        if exchange?.greetsAnswer == true { prefix.writeImmutableBuffer(ResponseHeadSerializer.continueResponse) }
    }

    // MARK: - Endings

    private mutating func finishAnswer(_ now: UInt64, _ actions: inout ConnectionActions) {
        actions.flags.insert(.flush)
        output = .finished
        bodyIsAwaited = false
        if closesAfterAnswer || input == .body || input == .lingering {
            linger(&actions)
        } else {
            askForMore(&actions)
            openNextIfDone(now, &actions)
        }
    }

    /// Lets the client read the last answer: closes the sending side once all is sent, and throws away what still
    /// comes, so that the kernel does not answer it with a reset that would take the answer with it (RFC 9112 §9.6).
    mutating func linger(_ actions: inout ConnectionActions) {
        guard input != .closed else { return }
        input = .lingering
        inbound = ByteBuffer()
        discardBudget = settings.limits.lingerBytes
        lingerIsTimed = false
        guard output == .finished || output == .idle else { return }
        actions.flags.formUnion([.flush, .reportFlush])
        askForMore(&actions)
    }

    /// Everything that was to be sent before closing is sent.
    package mutating func outputFlushed(_ now: UInt64) -> ConnectionActions {
        var actions = ConnectionActions()
        guard input == .lingering else { return actions }
        if inputEnded {
            close(&actions)
        } else {
            lingerIsTimed = true
            phaseStart = now
            actions.flags.insert(.closeOutput)
        }
        return actions
    }

    mutating func close(_ actions: inout ConnectionActions) {
        terminate(BodyError(.disconnected, "The connection was closed."), &actions)
        actions.flags.insert(.close)
    }

    /// Nothing more happens on this connection; whoever waits is told so.
    mutating func terminate(_ failure: BodyError, _ actions: inout ConnectionActions) {
        guard input != .closed else { return }
        input = .closed
        inbound = ByteBuffer()
        pendingHead = nil
        if bodyIsAwaited { actions.body = .failed(failure) }
        bodyIsAwaited = false
        actions.writersFailure = failure
        if exchange?.handlerIsRunning == true, output != .finished { actions.flags.insert(.cancelTask) }
        if exchange?.bodyFailure == nil { exchange?.bodyFailure = failure }
    }

    private static let gone = BodyError(.disconnected, "The connection is closed.")
    private static let lineEnd = ByteBuffer(string: "\r\n")
    private static let lastChunk = ByteBuffer(string: "0\r\n\r\n")
}
