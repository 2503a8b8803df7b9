import Primitives

/// What the head of an answer says of the range that was asked for.
enum RangeAnswer: Equatable {
    /// The bytes that follow are those of the range, and nothing else.
    case exact
    /// The object ends before the range does.
    case outside
    /// The answer cannot be right, and why.
    case wrong(String)

    /// - Parameters:
    ///   - head: Of an answer with the status 200, 206 or 416.
    ///   - wanted: The range, not empty.
    init(_ head: ResponseHead, wanted: Range<Int64>) {
        switch head.status {
        case 206: self = Self.partial(head, wanted)
        // rclone's server says so with the other status.
        case 200 where head.fields.contains("content-range"): self = Self.partial(head, wanted)
        case 200: self = Self.whole(head, wanted)
        case 416: self = .outside
        default: self = .wrong("it answered a request for a range with the status \(head.status)")
        }
    }

    private static func partial(_ head: ResponseHead, _ wanted: Range<Int64>) -> RangeAnswer {
        let values = head.fields.values("content-range")
        guard values.count == 1, let (first, last, total) = parse(values[0]) else {
            return .wrong("it answered a part without saying which")
        }
        guard first == wanted.lowerBound, last < wanted.upperBound, last < total ?? .max else {
            return .wrong("it answered another range than it was asked for")
        }
        if let length = length(head), length != last - first + 1 {
            return .wrong("the length of its answer is not that of its range")
        }
        if last == wanted.upperBound - 1 { return .exact }
        return total == last + 1 ? .outside : .wrong("it answered less than it was asked for")
    }

    /// Right where the range is all of the object.
    private static func whole(_ head: ResponseHead, _ wanted: Range<Int64>) -> RangeAnswer {
        guard let length = length(head), wanted.lowerBound == 0, length <= wanted.upperBound else {
            return .wrong("it answered the whole object to a request for a range")
        }
        return length == wanted.upperBound ? .exact : .outside
    }

    /// The one length that the head has; nil without one, and where there are several.
    static func length(_ head: ResponseHead) -> Int64? {
        let values = head.fields.values("content-length")
        return values.count == 1 ? number(values[0].utf8[...]) : nil
    }

    /// `bytes 0-9/100` or `bytes 0-9/*`.
    private static func parse(_ text: String) -> (first: Int64, last: Int64, total: Int64?)? {
        guard text.utf8.starts(with: "bytes ".utf8) else { return nil }
        let parts = text.utf8.dropFirst(6).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let ends = parts[0].split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard ends.count == 2, let first = number(ends[0]), let last = number(ends[1]), first <= last else {
            return nil
        }
        if parts[1].elementsEqual("*".utf8) { return (first, last, nil) }
        guard let total = number(parts[1]) else { return nil }
        return (first, last, total)
    }

    /// Digits alone, at most 18.
    private static func number(_ text: Substring.UTF8View) -> Int64? {
        guard (1...18).contains(text.count), text.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(Substring(text))
    }
}
