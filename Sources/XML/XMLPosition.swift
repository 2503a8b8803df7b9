/// A place in a document, for messages.
struct XMLPosition {
    let line: Int
    let column: Int

    /// The place of the byte at this offset.
    init(of offset: Int, in bytes: [UInt8]) {
        let before = bytes.prefix(offset)
        line = 1 + before.count { $0 == UInt8(ascii: "\n") }
        column = offset - (before.lastIndex(of: UInt8(ascii: "\n")) ?? -1)
    }

    func error(_ kind: XMLError.Kind, _ message: String) -> XMLError {
        XMLError(kind, message, line: line, column: column)
    }
}
