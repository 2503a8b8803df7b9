import NIOCore
import Primitives

/// What a transfer's task and the engine's thread share: bytes on their way, and who waits for them. It does no I/O;
/// its methods return what is to be done outside the lock.
struct TransferState {
    typealias HeadResult = Result<ResponseHead, TransferError>
    typealias HeadWaiter = CheckedContinuation<HeadResult, Never>
    typealias BytesResult = Result<ByteBuffer?, TransferError>
    typealias Receiver = CheckedContinuation<BytesResult, Never>

    /// What is to be done once the lock is free again.
    enum Action {
        case none
        /// The thread is to go on with a transfer that was paused for want of bytes or room.
        case resumeTransfer
        case resumeSender(CheckedContinuation<Bool, Never>, Bool)
        case resumeHead(HeadWaiter, HeadResult)
        case resumeReceiver(Receiver, BytesResult)
        case resumeEnd(CheckedContinuation<Void, Never>)
    }

    /// What the thread may send next.
    enum Outgoing {
        case bytes(ByteBuffer)
        /// Nothing yet: the transfer pauses.
        case wait
        case end
    }

    /// Bytes in either direction above which whoever brings more has to wait.
    static let bound = 1 << 20

    private var outgoing = CircularBuffer<ByteBuffer>()
    private var outgoingBytes = 0
    private var hasAllOutgoing = false
    private(set) var isSendingPaused = false
    private var sender: CheckedContinuation<Bool, Never>?

    private var head: ResponseHead?
    private var headWaiter: HeadWaiter?

    private var incoming = CircularBuffer<ByteBuffer>()
    private var incomingBytes = 0
    private(set) var isReceivingPaused = false
    private var receiver: Receiver?

    /// How it ended, once the handle is gone.
    private(set) var outcome: Result<Void, TransferError>?
    private var endWaiter: CheckedContinuation<Void, Never>?
    /// Whether every byte of the request was handed to libcurl.
    private(set) var hasSentAll: Bool

    init(sendsNothing: Bool) {
        hasSentAll = sendsNothing
    }

    // MARK: The task's side

    /// The answer comes through the continuation: whether the transfer still wants bytes.
    mutating func send(_ bytes: ByteBuffer, _ continuation: CheckedContinuation<Bool, Never>) -> [Action] {
        guard outcome == nil else { return [.resumeSender(continuation, false)] }
        outgoing.append(bytes)
        outgoingBytes += bytes.readableBytes
        let wakes = wakeSending()
        guard outgoingBytes >= Self.bound else { return [.resumeSender(continuation, true), wakes] }
        sender = continuation
        return [wakes]
    }

    mutating func finishSending() -> Action {
        hasAllOutgoing = true
        // The last bytes may be with libcurl already, which does not ask again once it has as many as were announced.
        if outgoing.isEmpty { hasSentAll = true }
        return wakeSending()
    }

    private mutating func wakeSending() -> Action {
        guard isSendingPaused else { return .none }
        isSendingPaused = false
        return .resumeTransfer
    }

    mutating func awaitHead(_ continuation: HeadWaiter) -> Action {
        if let head { return .resumeHead(continuation, .success(head)) }
        if let outcome { return .resumeHead(continuation, Self.headless(outcome)) }
        headWaiter = continuation
        return .none
    }

    mutating func awaitBytes(_ continuation: Receiver) -> [Action] {
        if let bytes = incoming.popFirst() {
            incomingBytes -= bytes.readableBytes
            guard isReceivingPaused, incomingBytes < Self.bound / 2 else {
                return [.resumeReceiver(continuation, .success(bytes))]
            }
            isReceivingPaused = false
            return [.resumeReceiver(continuation, .success(bytes)), .resumeTransfer]
        }
        if let outcome { return [.resumeReceiver(continuation, outcome.map { nil })] }
        receiver = continuation
        return []
    }

    mutating func awaitEnd(_ continuation: CheckedContinuation<Void, Never>) -> Action {
        if outcome != nil { return .resumeEnd(continuation) }
        endWaiter = continuation
        return .none
    }

    // MARK: The thread's side

    /// Bytes to send, and the sender to wake where there is room again.
    ///
    /// - Parameter pauses: Whether the transfer pauses where there is nothing yet.
    mutating func takeOutgoing(pauses: Bool) -> (Outgoing, Action) {
        guard let bytes = outgoing.popFirst() else {
            if hasAllOutgoing {
                hasSentAll = true
                return (.end, .none)
            }
            isSendingPaused = pauses
            return (.wait, .none)
        }
        outgoingBytes -= bytes.readableBytes
        if hasAllOutgoing, outgoing.isEmpty { hasSentAll = true }
        guard outgoingBytes < Self.bound, let sender else { return (.bytes(bytes), .none) }
        self.sender = nil
        return (.bytes(bytes), .resumeSender(sender, true))
    }

    mutating func receive(_ head: ResponseHead) -> Action {
        self.head = head
        guard let waiter = headWaiter else { return .none }
        headWaiter = nil
        return .resumeHead(waiter, .success(head))
    }

    mutating func receive(_ bytes: ByteBuffer) -> Action {
        if let receiver {
            self.receiver = nil
            return .resumeReceiver(receiver, .success(bytes))
        }
        incoming.append(bytes)
        incomingBytes += bytes.readableBytes
        return .none
    }

    /// Whether the thread may bring more; where it may not, the receiver resumes the transfer later.
    mutating func hasRoom() -> Bool {
        isReceivingPaused = incomingBytes >= Self.bound
        return !isReceivingPaused
    }

    /// The handle is gone, and nothing happens any more.
    mutating func end(_ outcome: Result<Void, TransferError>) -> [Action] {
        guard self.outcome == nil else { return [] }
        var outcome = outcome
        if case .success = outcome, head == nil { outcome = .failure(.broken("there was no answer")) }
        self.outcome = outcome
        var actions: [Action] = []
        if let sender { actions.append(.resumeSender(sender, false)) }
        if let headWaiter { actions.append(.resumeHead(headWaiter, Self.headless(outcome))) }
        if let receiver { actions.append(.resumeReceiver(receiver, outcome.map { nil })) }
        if let endWaiter { actions.append(.resumeEnd(endWaiter)) }
        (sender, headWaiter, receiver, endWaiter) = (nil, nil, nil, nil)
        outgoing.removeAll()
        return actions
    }

    private static func headless(_ outcome: Result<Void, TransferError>) -> HeadResult {
        switch outcome {
        case .success: .failure(.broken("there was no answer"))
        case .failure(let error): .failure(error)
        }
    }
}
