package import NIOCore
package import Primitives

/// What the owner of a connection is to do after an event, in the order of the members.
///
/// A struct of optional parts instead of a list: no event needs two of a kind, and nothing is allocated for it.
package struct ConnectionActions: Sendable {
    package struct Flags: OptionSet, Sendable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        /// Send what was written.
        package static let flush = Flags(rawValue: 1)
        /// Once everything is sent, say so with `outputFlushed`.
        package static let reportFlush = Flags(rawValue: 2)
        /// Close the sending side.
        package static let closeOutput = Flags(rawValue: 4)
        /// Close the connection.
        package static let close = Flags(rawValue: 8)
        /// Close the connection so that the peer sees an error.
        package static let reset = Flags(rawValue: 16)
        /// Cancel the task of the request.
        package static let cancelTask = Flags(rawValue: 32)
        /// Ask the socket for more bytes.
        package static let read = Flags(rawValue: 64)
        /// Call `advance`: a head may be waiting.
        package static let advance = Flags(rawValue: 128)
    }

    /// What the handler learns from asking for the body.
    package enum BodyAnswer: Sendable, Equatable {
        /// Never empty.
        case bytes(ByteBuffer)
        case end
        case failed(BodyError)
        /// The answer comes later, as `body` of the actions of another event.
        case wait
    }

    /// Bytes to write, in this order.
    package var prefix: ByteBuffer?
    package var data: ByteBuffer?
    package var suffix: ByteBuffer?
    package var flags: Flags = []
    /// The answer to a handler that waits for the body.
    package var body: BodyAnswer?
    /// Writers that wait for room are to fail with this.
    package var writersFailure: BodyError?
    /// A request to hand to the handler.
    package var request: ParsedRequest?
    /// A refusal to count, and to answer with `answer`.
    package var refusal: RequestRefusal?
    /// Something to count that is not answered here.
    package var refused: RequestRefusal.Reason?

    package init() {}
}
