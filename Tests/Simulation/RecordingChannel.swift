package import NIOCore
package import Primitives
import Synchronization

/// The client's end of one request: it keeps what was sent, and every breach of the channel's rules.
package final class RecordingChannel: ResponseChannel {
    /// What came over the channel.
    package struct Transcript: Sendable {
        package var head: ResponseHead?
        package var bytes = ByteBuffer()
        /// Bytes that the head announced.
        package var announced: Int64?
        package var isFinished = false
        package var isAborted = false
        package var violations: [String] = []
    }

    private struct State {
        var transcript = Transcript()
        /// How many bytes the client takes before it goes away.
        var room: Int64
    }

    private let state: Mutex<State>
    private let hesitate: @Sendable () async -> Void

    /// - Parameters:
    ///   - room: after so many bytes of a body the client goes away.
    ///   - hesitate: what the client does before it takes the next bytes of a body.
    package init(room: Int64 = .max, hesitate: @escaping @Sendable () async -> Void = {}) {
        state = Mutex(State(room: room))
        self.hesitate = hesitate
    }

    package var transcript: Transcript { state.withLock { $0.transcript } }

    package func send(_ head: ResponseHead, _ bytes: ByteBuffer) async throws(BodyError) {
        try state.withLock { state throws(BodyError) in
            state.transcript.open(head)
            state.transcript.bytes = bytes
            state.transcript.isFinished = true
            if Int64(bytes.readableBytes) > state.room { throw BodyError(.disconnected, "The client went away.") }
        }
    }

    package func begin(_ head: ResponseHead, length: Int64?) async throws(BodyError) {
        state.withLock { state in
            state.transcript.open(head)
            state.transcript.announced = length
        }
    }

    package func write(_ bytes: ByteBuffer) async throws(BodyError) {
        await hesitate()
        try state.withLock { state throws(BodyError) in
            state.transcript.take(bytes)
            state.room -= Int64(bytes.readableBytes)
            if state.room < 0 { throw BodyError(.disconnected, "The client went away.") }
        }
    }

    package func finish() async throws(BodyError) {
        state.withLock { $0.transcript.finish() }
    }

    package func abort() async {
        state.withLock { $0.transcript.isAborted = true }
    }
}

extension RecordingChannel.Transcript {
    fileprivate mutating func open(_ head: ResponseHead) {
        if self.head != nil { violations.append("a second head was sent") }
        if isAborted { violations.append("a head was sent after the connection was reset") }
        self.head = head
    }

    fileprivate mutating func take(_ more: ByteBuffer) {
        if head == nil { violations.append("bytes were sent before the head") }
        if isFinished || isAborted { violations.append("bytes were sent after the end") }
        if more.readableBytes == 0 { violations.append("no bytes were sent") }
        var more = more
        bytes.writeBuffer(&more)
        if let announced, Int64(bytes.readableBytes) > announced {
            violations.append("more bytes were sent than announced")
        }
    }

    fileprivate mutating func finish() {
        if isFinished { violations.append("the body was ended twice") }
        isFinished = true
        if let announced, Int64(bytes.readableBytes) != announced {
            violations.append("\(bytes.readableBytes) of \(announced) bytes were sent, and the body was ended")
        }
    }
}
