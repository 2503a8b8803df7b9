package import NIOCore
package import Primitives

/// A source that delivers some buffers and then fails.
package struct FailingSource: BodySource {
    private var source: BufferedSource
    private let error: BodyError

    package init(after buffers: [ByteBuffer], _ error: BodyError) {
        source = BufferedSource(buffers)
        self.error = error
    }

    package mutating func next() async throws(BodyError) -> ByteBuffer? {
        if let buffer = try await source.next() { return buffer }
        throw error
    }
}

/// A sink that takes some bytes and then fails, as a client that goes away.
package struct FailingSink: BodySink {
    /// The bytes that may still be written before it fails.
    package private(set) var room: Int
    private let error: BodyError

    package init(after bytes: Int, _ error: BodyError) {
        room = bytes
        self.error = error
    }

    package mutating func write(_ bytes: ByteBuffer) async throws(BodyError) {
        guard bytes.readableBytes <= room else { throw error }
        room -= bytes.readableBytes
    }
}

extension SeededGenerator {
    /// Random bytes, cut into buffers of random lengths of at most `most` bytes.
    package mutating func buffers(of bytes: [UInt8], most: Int) -> [ByteBuffer] {
        var buffers: [ByteBuffer] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = min(rest.count, Int.random(in: 1...most, using: &self))
            buffers.append(ByteBuffer(bytes: rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return buffers
    }

    /// A name for a blob that no other test draws, unless by a chance of 2⁻⁹⁶.
    package mutating func blobName(kind: BlobName.Kind = .data) -> BlobName {
        BlobName(kind: kind, epoch: 1, counter: next(), random: UInt32(truncatingIfNeeded: next()))
    }
}
