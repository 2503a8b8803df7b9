package import NIOCore
package import Primitives
import Synchronization

/// Sends the head of an answer with its first bytes, so that a failure before them can still become an error answer.
package struct ResponseSink: BodySink {
    private let channel: any ResponseChannel
    private let head: ResponseHead
    private let length: Int64
    private let progress: Progress

    /// How far an answer has come.
    package final class Progress: Sendable {
        private let state = Mutex((begun: false, bytes: Int64(0)))

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
    }

    package init(_ channel: any ResponseChannel, _ head: ResponseHead, length: Int64, progress: Progress) {
        (self.channel, self.head, self.length, self.progress) = (channel, head, length, progress)
    }

    package mutating func write(_ bytes: ByteBuffer) async throws(BodyError) {
        if progress.begin() { try await channel.begin(head, length: length) }
        try await channel.write(bytes)
        progress.add(bytes.readableBytes)
    }
}
