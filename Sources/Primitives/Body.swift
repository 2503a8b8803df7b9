package import NIOCore

/// Where the bytes of a body come from. Asking for the next buffer is the backpressure: nothing is read ahead of it but
/// what the source declares itself.
package protocol BodySource: Sendable {
    /// The next buffer, never empty, or nil at the end. After nil or an error it is not called again.
    mutating func next() async throws(BodyError) -> ByteBuffer?
}

/// Where the bytes of an answer go. Returning is the backpressure.
package protocol BodySink: Sendable {
    mutating func write(_ bytes: ByteBuffer) async throws(BodyError)
}

/// A body of bytes: pulled once, by one owner.
///
/// It is not copyable, so it cannot be read twice; whoever needs the bytes twice must decide where to keep them.
package struct Body: ~Copyable, Sendable {
    /// The number of bytes to come, where it is known before they do.
    package let length: Int64?
    private var source: any BodySource

    package init(length: Int64?, source: any BodySource) {
        self.length = length
        self.source = source
    }

    /// The next buffer, never empty, or nil once all bytes were delivered and every check on them held.
    package mutating func next() async throws(BodyError) -> ByteBuffer? {
        try await source.next()
    }

    /// Gives the source away, for a wrapper that checks or transforms what passes.
    package consuming func takeSource() -> any BodySource {
        source
    }
}

extension Body {
    /// A body of no bytes.
    package static var empty: Body { Body(length: 0, source: BufferedSource([])) }

    /// A body of the given bytes.
    package init(_ bytes: ByteBuffer) {
        self.init(length: Int64(bytes.readableBytes), source: BufferedSource([bytes]))
    }

    /// A body of the given bytes.
    package init(_ bytes: [UInt8]) {
        self.init(ByteBuffer(bytes: bytes))
    }

    /// A body that delivers these buffers one by one.
    package init(buffers: [ByteBuffer]) {
        self.init(
            length: buffers.reduce(0) { $0 + Int64($1.readableBytes) }, source: BufferedSource(buffers))
    }

    /// Reads everything into one buffer.
    ///
    /// - Throws: `BodyError` of kind `tooLarge` as soon as more than `limit` bytes have come.
    package consuming func collect(limit: Int) async throws(BodyError) -> ByteBuffer {
        if let length, length > Int64(limit) { throw BodyError(.tooLarge, "The body is larger than \(limit) bytes.") }
        var all = ByteBuffer()
        while var buffer = try await next() {
            guard all.readableBytes + buffer.readableBytes <= limit else {
                throw BodyError(.tooLarge, "The body is larger than \(limit) bytes.")
            }
            if all.readableBytes == 0 { all = buffer } else { all.writeBuffer(&buffer) }
        }
        return all
    }
}

/// A source of buffers that are already in memory.
package struct BufferedSource: BodySource {
    private var buffers: ArraySlice<ByteBuffer>

    package init(_ buffers: [ByteBuffer]) {
        self.buffers = buffers[...]
    }

    package mutating func next() async throws(BodyError) -> ByteBuffer? {
        while let buffer = buffers.popFirst() {
            if buffer.readableBytes > 0 { return buffer }
        }
        return nil
    }
}

/// A sink that keeps what is written, up to a limit.
package struct BufferingSink: BodySink {
    /// Everything written so far.
    package private(set) var bytes = ByteBuffer()
    private let limit: Int

    package init(limit: Int = .max) {
        self.limit = limit
    }

    package mutating func write(_ buffer: ByteBuffer) async throws(BodyError) {
        guard buffer.readableBytes <= limit - bytes.readableBytes else {
            throw BodyError(.tooLarge, "More than \(limit) bytes were written.")
        }
        var buffer = buffer
        bytes.writeBuffer(&buffer)
    }
}
