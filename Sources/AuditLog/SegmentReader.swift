import Audit

/// Reads a segment line by line, in bounded memory.
struct SegmentReader: ~Copyable {
    struct Line {
        /// Without the line feed; at most `AuditRecord.maximumLinkedSize` bytes, the rest of a longer line being left
        /// out.
        var bytes: [UInt8]
        /// Where it begins in the file.
        var offset: Int64
        /// Whether a line feed ends it.
        var isTerminated: Bool
        /// Whether it is longer than a record can be.
        var isTooLong: Bool
        /// The offset after it, line feed included.
        var end: Int64
    }

    private let file: PosixFile
    private var buffer: [UInt8] = []
    /// Bytes of the buffer that were given out.
    private var consumed = 0
    /// The offset in the file of the first byte of the buffer.
    private var base: Int64 = 0
    private var isAtEnd = false

    private static let chunk = 1 << 18

    init(path: String) throws(PosixFailure) {
        file = try PosixFile(path, .reading)
    }

    /// The next line, or nil at the end of the file.
    mutating func next() throws(PosixFailure) -> Line? {
        var searched = consumed
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                return take(upTo: end, terminated: true)
            }
            searched = buffer.count
            if searched - consumed > AuditRecord.maximumLinkedSize { return try skipLongLine() }
            guard try fill() else { break }
        }
        return consumed < buffer.count ? take(upTo: buffer.count, terminated: false) : nil
    }

    private mutating func take(upTo end: Int, terminated: Bool) -> Line {
        let length = end - consumed
        let line = Line(
            bytes: Array(buffer[consumed..<end].prefix(AuditRecord.maximumLinkedSize)), offset: base + Int64(consumed),
            isTerminated: terminated, isTooLong: length > AuditRecord.maximumLinkedSize,
            end: base + Int64(end) + (terminated ? 1 : 0))
        consumed = end + (terminated ? 1 : 0)
        if consumed > Self.chunk { compact() }
        return line
    }

    /// Passes over a line that is longer than any record, without keeping it.
    private mutating func skipLongLine() throws(PosixFailure) -> Line? {
        var line = take(upTo: buffer.count, terminated: false)
        while true {
            if let end = buffer[consumed...].firstIndex(of: UInt8(ascii: "\n")) {
                consumed = end + 1
                line.isTerminated = true
                break
            }
            consumed = buffer.count
            guard try fill() else { break }
        }
        line.end = base + Int64(consumed)
        return line
    }

    private mutating func compact() {
        buffer.removeSubrange(..<consumed)
        base += Int64(consumed)
        consumed = 0
    }

    /// Whether bytes were added.
    private mutating func fill() throws(PosixFailure) -> Bool {
        guard !isAtEnd else { return false }
        let count = try file.read(into: &buffer, at: base + Int64(buffer.count), limit: Self.chunk)
        if count == 0 { isAtEnd = true }
        return count > 0
    }
}
