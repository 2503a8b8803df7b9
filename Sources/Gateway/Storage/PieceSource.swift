import NIOCore
import Primitives

/// A source that several bodies read one after the other.
///
/// Only one of them reads at a time; the actor keeps the source alive between them. It stands on the path of objects
/// beyond one gigabyte alone.
actor SharedSource {
    private var source: (any BodySource)?
    private var pushedBack: ByteBuffer?
    private(set) var hasEnded = false

    init(_ source: any BodySource) {
        self.source = source
    }

    /// Up to `limit` bytes; nil at the end.
    func next(limit: Int64) async throws(BodyError) -> ByteBuffer? {
        var buffer: ByteBuffer
        if let kept = pushedBack {
            pushedBack = nil
            buffer = kept
        } else {
            guard var source, !hasEnded else { return nil }
            guard let read = try await source.next() else {
                hasEnded = true
                return nil
            }
            self.source = source
            buffer = read
        }
        guard Int64(buffer.readableBytes) > limit, let piece = buffer.readSlice(length: Int(limit)) else {
            return buffer
        }
        pushedBack = buffer
        return piece
    }

    /// Whether there is nothing more, asked of the source itself.
    func isExhausted() async throws(BodyError) -> Bool {
        guard pushedBack == nil, !hasEnded else { return hasEnded && pushedBack == nil }
        pushedBack = try await next(limit: .max)
        return hasEnded
    }
}

/// The next so many bytes of a shared source.
struct PieceSource: BodySource {
    let source: SharedSource
    var rest: Int64

    mutating func next() async throws(BodyError) -> ByteBuffer? {
        guard rest > 0 else {
            // The end must be asked for here, so that what fails at the end fails before this piece is published.
            _ = try await source.isExhausted()
            return nil
        }
        guard let buffer = try await source.next(limit: rest) else { return nil }
        rest -= Int64(buffer.readableBytes)
        return buffer
    }
}

/// A source of which the beginning was read already.
struct ResumedSource: BodySource {
    /// Nil once it was answered; never empty.
    var beginning: ByteBuffer?
    var rest: any BodySource

    mutating func next() async throws(BodyError) -> ByteBuffer? {
        guard let buffer = beginning else { return try await rest.next() }
        beginning = nil
        return buffer
    }
}
