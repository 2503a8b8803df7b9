package import NIOCore
package import Primitives
import Synchronization

/// Sends the head of an answer with its first bytes, so that a failure before them can still become an error answer.
///
/// What completes the answer is held back until `complete`: once its last byte has left, nothing can be taken back, and
/// an answer without its record must not become whole.
package struct ResponseSink: BodySink {
    /// How much of the end is held back at most. A small answer is whole; a large one has met before whether its client
    /// is still there, so that its record can say so.
    private static let heldBytes = 16 << 10

    private let channel: any ResponseChannel
    private let head: ResponseHead
    private let length: Int64
    private let progress: Progress

    /// How far an answer has come.
    package final class Progress: Sendable {
        private let state = Mutex((begun: false, bytes: Int64(0), last: ByteBuffer?.none))

        package init() {}

        package var hasBegun: Bool { state.withLock { $0.begun } }
        package var bytes: Int64 { state.withLock { $0.bytes } }

        fileprivate func begin() -> Bool {
            state.withLock { state in
                defer { state.begun = true }
                return !state.begun
            }
        }

        fileprivate func add(_ count: Int) { state.withLock { $0.bytes += Int64(count) } }

        fileprivate func hold(_ last: ByteBuffer) { state.withLock { $0.last = last } }

        fileprivate func takeLast() -> ByteBuffer? {
            state.withLock { state in
                defer { state.last = nil }
                return state.last
            }
        }
    }

    package init(_ channel: any ResponseChannel, _ head: ResponseHead, length: Int64, progress: Progress) {
        (self.channel, self.head, self.length, self.progress) = (channel, head, length, progress)
    }

    package mutating func write(_ bytes: ByteBuffer) async throws(BodyError) {
        guard progress.bytes + Int64(bytes.readableBytes) >= length else { return try await send(bytes) }
        var last = bytes
        let early = max(0, bytes.readableBytes - Self.heldBytes)
        if early > 0, let before = last.readSlice(length: early) { try await send(before) }
        progress.hold(last)
    }

    /// Sends what was held back.
    package func complete() async throws(BodyError) {
        if let last = progress.takeLast() { try await send(last) }
    }

    private func send(_ bytes: ByteBuffer) async throws(BodyError) {
        if progress.begin() { try await channel.begin(head, length: length) }
        try await channel.write(bytes)
        progress.add(bytes.readableBytes)
    }
}
