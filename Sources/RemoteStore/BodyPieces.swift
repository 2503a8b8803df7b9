import NIOCore
import Primitives
import Storage

/// A body cut into pieces of one size, as a multipart upload wants them. It knows which piece is the last before it
/// gives it away, so that nothing is published before the body has delivered its end.
struct BodyPieces: ~Copyable {
    private var body: Body
    private let announced: Int64?
    private var rest = ByteBuffer()
    private var hasEnded = false
    /// The bytes that the body has delivered so far.
    private(set) var delivered: Int64 = 0

    init(_ body: consuming Body) {
        announced = body.length
        self.body = body
    }

    /// The next `size` bytes, or fewer where they are the last.
    ///
    /// - Throws: `source` where the body fails, or delivers another number of bytes than it announced.
    mutating func next(_ size: Int) async throws(StorageError) -> (buffers: [ByteBuffer], isLast: Bool) {
        var (buffers, count): ([ByteBuffer], Int) = ([], 0)
        while true {
            if rest.readableBytes == 0 {
                guard let buffer = try await nextBuffer() else { return (buffers, true) }
                rest = buffer
            }
            guard count < size else { return (buffers, false) }
            guard let piece = rest.readSlice(length: min(size - count, rest.readableBytes)) else { continue }
            count += piece.readableBytes
            buffers.append(piece)
        }
    }

    /// The next buffer, of whatever size, or nil at the end.
    mutating func nextBuffer() async throws(StorageError) -> ByteBuffer? {
        if rest.readableBytes > 0 {
            defer { rest = ByteBuffer() }
            return rest
        }
        guard !hasEnded else { return nil }
        guard let buffer = try await body.nextOfSource() else {
            hasEnded = true
            if let announced, delivered < announced {
                throw .source(BodyError(.incomplete, "The body ended after \(delivered) of \(announced) bytes."))
            }
            return nil
        }
        delivered += Int64(buffer.readableBytes)
        if let announced, delivered > announced {
            throw .source(BodyError(.tooLarge, "The body has more than the \(announced) bytes that it announced."))
        }
        return buffer
    }
}
