import NIOCore

/// Finds lines that end in CR LF, and looks at each byte once however slowly they come.
struct LineReader {
    /// How many readable bytes are known to hold no line feed.
    private var scanned = 0

    /// The length of the first line without its ending, or nil where it is not whole yet.
    ///
    /// - Throws: `RequestRefusal` for a line above `limit` bytes (as `tooLong` words it) and for one that ends in a
    ///   bare LF.
    mutating func line(
        in buffer: borrowing ByteBuffer, limit: Int, tooLong: @autoclosure () -> RequestRefusal
    ) throws(RequestRefusal) -> Int? {
        let bytes = buffer.readableBytesUInt8Span
        let end = min(bytes.count, limit + 2)
        var index = scanned
        while index < end, bytes[index] != ByteClasses.lineFeed { index += 1 }
        guard index < end else {
            scanned = index
            guard index < limit + 2 else { throw tooLong() }
            return nil
        }
        scanned = 0
        guard index > 0, bytes[index - 1] == ByteClasses.carriageReturn else {
            throw RequestRefusal(.headerField, "A line ends in a bare line feed.")
        }
        return index - 1
    }
}
