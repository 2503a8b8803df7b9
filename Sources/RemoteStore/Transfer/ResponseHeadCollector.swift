import Primitives

/// Gathers the lines of an answer's head as libcurl gives them, within bounds: `HTTP/1.1 200 OK`, fields, an empty
/// line. Interim answers (1xx) are read over, and so is what follows the head, such as a trailer.
struct ResponseHeadCollector {
    /// Bytes of all lines together, interim answers and trailers included.
    static let byteLimit = 32 << 10
    static let fieldLimit = 128

    private var head: ResponseHead?
    private var bytes = 0
    private(set) var isComplete = false

    /// Takes one line with its end. Returns the head with the line that completes it.
    ///
    /// - Throws: `malformed`, which names what is wrong and repeats nothing of it.
    mutating func take(_ line: [UInt8]) throws(TransferError) -> ResponseHead? {
        bytes += line.count
        guard bytes <= Self.byteLimit else { throw .malformed("its head has more than \(Self.byteLimit) bytes") }
        guard !isComplete else { return nil }
        var line = line[...]
        if line.last == 0x0a { line.removeLast() }
        if line.last == 0x0d { line.removeLast() }
        guard var head else {
            self.head = ResponseHead(status: try Self.status(line))
            return nil
        }
        if line.isEmpty {
            if (100..<200).contains(head.status) {
                self.head = nil
                return nil
            }
            isComplete = true
            return head
        }
        guard head.fields.fields.count < Self.fieldLimit else {
            throw .malformed("its head has more than \(Self.fieldLimit) fields")
        }
        let (name, value) = try Self.field(line)
        head.fields.append(name, value)
        self.head = head
        return nil
    }

    /// `HTTP/1.1 200 OK`, `HTTP/2 200`.
    private static func status(_ line: ArraySlice<UInt8>) throws(TransferError) -> Int {
        let words = line.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
        guard line.starts(with: "HTTP/".utf8), words.count >= 2, words[1].count == 3,
            let status = Int(String(decoding: words[1], as: UTF8.self)), (100...599).contains(status)
        else { throw .malformed("its first line is no status line") }
        return status
    }

    private static func field(_ line: ArraySlice<UInt8>) throws(TransferError) -> (name: String, value: String) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else {
            throw .malformed("a line of its head is no field")
        }
        let name = line[..<colon]
        let value = line[(colon + 1)...].trimmed
        guard name.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { throw .malformed("a field's name is not right") }
        guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }), value.span.isUTF8 else {
            throw .malformed("a field's value holds what no value may")
        }
        let lowered = name.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        return (String(decoding: lowered, as: UTF8.self), String(decoding: value, as: UTF8.self))
    }
}

extension ArraySlice<UInt8> {
    /// Without the spaces and tabs at both ends.
    fileprivate var trimmed: ArraySlice<UInt8> {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        let front = drop(while: isBlank)
        return front[..<((front.lastIndex { !isBlank($0) }).map { $0 + 1 } ?? front.startIndex)]
    }
}
