package import Metadata
import NIOCore
package import Primitives
import Storage

/// Reads ranges of an object across its segments.
package struct ObjectReader: Sendable {
    private let storage: any ObjectStorage

    package init(_ storage: any ObjectStorage) {
        self.storage = storage
    }

    /// The bytes of a range of a version, whose record must have all its segments.
    package func content(of record: VersionRecord, range: Range<Int64>) -> ObjectContent {
        let pieces = Self.pieces(record.segments, range)
        return ObjectContent(length: range.upperBound - range.lowerBound) { [storage] sink throws(StorageError) in
            for piece in pieces { try await storage.fetch(piece.segment, range: piece.range, into: &sink) }
        }
    }

    /// Which range of which segment makes up a range of the object.
    package static func pieces(
        _ segments: [Segment], _ range: Range<Int64>
    ) -> [(segment: Segment, range: Range<Int64>)] {
        var pieces: [(segment: Segment, range: Range<Int64>)] = []
        var start: Int64 = 0
        for segment in segments {
            let overlap = range.clamped(to: start..<(start + segment.plainLength))
            if !overlap.isEmpty {
                pieces.append((segment, (overlap.lowerBound - start)..<(overlap.upperBound - start)))
            }
            start += segment.plainLength
        }
        return pieces
    }

    /// The bytes of a range as a body, for a copy.
    ///
    /// It reads one piece of at most `pieceSize` bytes at a time, so that a copy holds no more than that.
    package func body(of record: VersionRecord, range: Range<Int64>) -> Body {
        Body(
            length: range.upperBound - range.lowerBound,
            source: SegmentSource(storage: storage, segments: record.segments, rest: range))
    }
}

/// Delivers a range of an object piece by piece.
private struct SegmentSource: BodySource {
    private static let pieceSize: Int64 = 4 << 20

    let storage: any ObjectStorage
    let segments: [Segment]
    var rest: Range<Int64>

    mutating func next() async throws(BodyError) -> ByteBuffer? {
        guard !rest.isEmpty else { return nil }
        let end = min(rest.upperBound, rest.lowerBound + Self.pieceSize)
        var sink: any BodySink = BufferingSink(limit: Int(Self.pieceSize))
        do {
            for piece in ObjectReader.pieces(segments, rest.lowerBound..<end) {
                try await storage.fetch(piece.segment, range: piece.range, into: &sink)
            }
        } catch {
            throw BodyError(error.isForNow ? .storageAway : .storage, error.description)
        }
        rest = end..<rest.upperBound
        guard let filled = sink as? BufferingSink, filled.bytes.readableBytes > 0 else {
            throw BodyError(.storage, "A read of the source delivered nothing.")
        }
        return filled.bytes
    }
}
