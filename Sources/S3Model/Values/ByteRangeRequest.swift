package import Primitives

/// The range of a read, as the `Range` header asks for it (RFC 9110 §14.1.2): one range of bytes.
package enum ByteRangeRequest: Sendable, Hashable {
    case from(Int64, through: Int64?)
    case last(Int64)

    /// The bytes of an object of this size, or nil where the range cannot be satisfied.
    package func resolve(size: Int64) -> Range<Int64>? {
        switch self {
        case .from(let first, let last):
            guard first < size else { return nil }
            return first..<min(last.map { $0 == .max ? $0 : $0 + 1 } ?? size, size)
        case .last(let count):
            guard count > 0, size > 0 else { return nil }
            return max(0, size - count)..<size
        }
    }
}

/// What a client has a part of already: the range counts only if the object is still that one (RFC 9110 §13.1.5).
package enum RangeValidator: Sendable, Hashable {
    /// An entity tag without quotes.
    case etag(String)
    case date(Timestamp)
    /// A weak tag, or what does not parse: it proves nothing.
    case none

    package func holds(etag: String, modified: Timestamp) -> Bool {
        switch self {
        case .etag(let known): known.utf8.elementsEqual(etag.utf8)
        case .date(let known): known.seconds == modified.seconds
        case .none: false
        }
    }
}
