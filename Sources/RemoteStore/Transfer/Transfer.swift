package import NIOCore
package import Primitives
import Synchronization

/// A request that is under way on the engine's thread, and its answer. One task owns it.
///
/// What comes and goes is bounded in both directions: `send` returns when there is room, and the thread stops reading
/// from the connection when nobody takes what came. Whoever starts one ends it, by reading the answer to its end or by
/// `cancel`.
package final class Transfer: Sendable {
    let request: TransferRequest
    /// Whether the task's cancellation ends it. What has to be done after a cancellation is shielded from it.
    private let isShielded: Bool
    private let queue: TransferQueue
    /// Kept from closing itself while one of its transfers is somebody's.
    private let engine: TransferEngine
    private let state: Mutex<TransferState>

    init(_ request: TransferRequest, isShielded: Bool, queue: TransferQueue, engine: TransferEngine) {
        (self.request, self.isShielded, self.queue, self.engine) = (request, isShielded, queue, engine)
        state = Mutex(TransferState(sendsNothing: (request.contentLength ?? 0) == 0))
    }

    /// Gives bytes of the request's body, and returns when there is room for more.
    ///
    /// - Returns: False where the transfer has ended already: the answer says why.
    package func send(_ bytes: ByteBuffer) async -> Bool {
        guard bytes.readableBytes > 0 else { return state.withLock { $0.outcome == nil } }
        return await cancelling {
            await withCheckedContinuation { continuation in
                perform(state.withLock { $0.send(bytes, continuation) })
            }
        }
    }

    /// The body has no more bytes.
    package func finishSending() {
        perform([state.withLock { $0.finishSending() }])
    }

    /// The head of the answer, once it is there.
    package func head() async throws(TransferError) -> ResponseHead {
        let result: Result<ResponseHead, TransferError> = await cancelling {
            await withCheckedContinuation { continuation in
                perform([state.withLock { $0.awaitHead(continuation) }])
            }
        }
        return try result.get()
    }

    /// The next bytes of the answer's body, or nil after the last.
    package func next() async throws(TransferError) -> ByteBuffer? {
        let result: Result<ByteBuffer?, TransferError> = await cancelling {
            await withCheckedContinuation { continuation in
                perform(state.withLock { $0.awaitBytes(continuation) })
            }
        }
        return try result.get()
    }

    /// Breaks it off where it has not ended.
    package func cancel() {
        guard state.withLock({ $0.outcome == nil }) else { return }
        queue.push(.cancel(self))
    }

    /// Breaks it off where it has not ended, and returns when nothing is sent or received any more.
    package func abandon() async {
        cancel()
        await withCheckedContinuation { continuation in
            perform([state.withLock { $0.awaitEnd(continuation) }])
        }
    }

    /// Whether every byte of the request has left us, so that the server may have taken it.
    package var hasSentAll: Bool { state.withLock { $0.hasSentAll } }

    private func cancelling<Value: Sendable>(_ wait: () async -> Value) async -> Value {
        guard !isShielded else { return await wait() }
        return await withTaskCancellationHandler {
            await wait()
        } onCancel: {
            cancel()
        }
    }

    private func perform(_ actions: [TransferState.Action]) {
        for action in actions {
            switch action {
            case .none: break
            case .resumeTransfer: queue.push(.resume(self))
            case .resumeSender(let continuation, let isWanted): continuation.resume(returning: isWanted)
            case .resumeHead(let continuation, let result): continuation.resume(returning: result)
            case .resumeReceiver(let continuation, let result): continuation.resume(returning: result)
            case .resumeEnd(let continuation): continuation.resume()
            }
        }
    }
}

/// The thread's side.
extension Transfer {
    func takeOutgoing(pauses: Bool) -> TransferState.Outgoing {
        let (outgoing, action) = state.withLock { $0.takeOutgoing(pauses: pauses) }
        perform([action])
        return outgoing
    }

    func receive(_ head: ResponseHead) {
        perform([state.withLock { $0.receive(head) }])
    }

    func receive(_ bytes: ByteBuffer) {
        perform([state.withLock { $0.receive(bytes) }])
    }

    /// Whether the thread may bring more bytes now; otherwise the transfer is resumed by a command.
    func hasRoom() -> Bool { state.withLock { $0.hasRoom() } }

    /// Which directions wait for the task.
    var pauses: (sending: Bool, receiving: Bool) {
        state.withLock { ($0.isSendingPaused, $0.isReceivingPaused) }
    }

    func end(_ outcome: Result<Void, TransferError>) {
        perform(state.withLock { $0.end(outcome) })
    }
}
