package import Metadata
package import Primitives

/// One pass of the scrub over every blob that there was.
package struct ScrubPass: Sendable, Hashable {
    package var began: Timestamp
    package var ended: Timestamp
    /// The last blob of the index then; nil where there was none. What comes behind it was written since.
    package var last: BlobName?
    /// Bytes of shards that it read.
    package var bytesRead: Int64
    /// Shards whose store did not answer, so that nobody knows whether they are right.
    package var unreachableShards: Int

    package init(
        began: Timestamp, ended: Timestamp, last: BlobName?, bytesRead: Int64 = 0, unreachableShards: Int = 0
    ) {
        (self.began, self.ended, self.last) = (began, ended, last)
        (self.bytesRead, self.unreachableShards) = (bytesRead, unreachableShards)
    }

    /// How long it took; nothing where the clock was set back meanwhile.
    package var duration: Duration { max(ended - began, .zero) }

    func write(to writer: inout RecordWriter) {
        writer.number(1, began.nanoseconds)
        writer.number(2, ended.nanoseconds)
        if let last { writer.bytes(3, last.bytes) }
        writer.number(4, bytesRead)
        writer.number(5, Int64(unreachableShards))
    }

    init(_ reader: RecordReader) throws(RecordError) {
        var reader = reader
        self.init(began: Timestamp(nanoseconds: 0), ended: Timestamp(nanoseconds: 0), last: nil)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: began = Timestamp(nanoseconds: value.signed)
            case 2: ended = Timestamp(nanoseconds: value.signed)
            case 3: last = BlobName(bytes: value.bytes)
            case 4: bytesRead = value.signed
            case 5: unreachableShards = Int(clamping: value.signed)
            default: break
            }
        }
    }
}

/// Which blobs the scrub has read, and how long ago that was at most.
package struct ScrubCoverage: Sendable, Hashable {
    /// The pass under way: when it began, and the last blob that it has read.
    package var current: (began: Timestamp, cursor: BlobName)? {
        guard let began, let cursor else { return nil }
        return (began, cursor)
    }

    private var began: Timestamp?
    private var cursor: BlobName?
    /// The last pass that came to its end.
    package var complete: ScrubPass?

    package init(began: Timestamp? = nil, cursor: BlobName? = nil, complete: ScrubPass? = nil) {
        (self.began, self.cursor, self.complete) = (began, cursor, complete)
    }

    /// Since when at the latest each shard of a blob has been read by a scrub; nil where none has come to it yet.
    package func read(_ blob: BlobName) -> Timestamp? {
        if let current, blob <= current.cursor { return current.began }
        guard let complete, let last = complete.last, blob <= last else { return nil }
        return complete.began
    }

    /// What an index keeps of it; nothing where that cannot be read, as the next pass of a scrub sees it too.
    package static func read(from index: any MetadataIndex) async throws(WorkerError) -> ScrubCoverage {
        let kept = try await index.answered { index throws(MetadataError) in try await index.values(of: [Keys.scrub]) }[
            0]
        guard let kept else { return ScrubCoverage() }
        do throws(RecordError) {
            let record = try ScrubRecord(encoded: kept.value)
            return ScrubCoverage(began: record.began, cursor: record.cursor, complete: record.complete)
        } catch {
            return ScrubCoverage()
        }
    }
}
