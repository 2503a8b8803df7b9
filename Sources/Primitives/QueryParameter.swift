/// One parameter of a query string, decoded once.
package struct QueryParameter: Sendable, Hashable {
    package let name: ArraySlice<UInt8>
    /// Empty where there was no equals sign.
    package let value: ArraySlice<UInt8>
    /// Whether the name came with an equals sign.
    package let hasEqualsSign: Bool

    /// The parameters of a raw query; all of them share one array. `+` is a space, as S3 reads it, and empty pieces
    /// between two `&` are nothing. Nil where a `%` is not followed by two digits.
    package static func parse(_ rawQuery: Substring) -> [QueryParameter]? {
        guard !rawQuery.isEmpty else { return [] }
        let raw = rawQuery.utf8.span
        var places: [(name: Range<Int>, value: Range<Int>, hasEqualsSign: Bool)] = []
        places.reserveCapacity(8)
        var isMalformed = false
        let bytes = [UInt8](capacity: raw.count) { decoded in
            var start = 0
            while start < raw.count {
                let first = decoded.count
                var (mark, at) = (Int?.none, start)
                piece: while at < raw.count {
                    switch raw[at] {
                    case UInt8(ascii: "&"): break piece
                    case UInt8(ascii: "=") where mark == nil: mark = decoded.count
                    case UInt8(ascii: "+"): decoded.append(UInt8(ascii: " "))
                    case UInt8(ascii: "%"):
                        guard let byte = PercentCoding.escapedByte(in: raw, at: at) else {
                            isMalformed = true
                            return
                        }
                        decoded.append(byte)
                        at += 2
                    case let byte: decoded.append(byte)
                    }
                    at += 1
                }
                let middle = mark ?? decoded.count
                if at > start { places.append((first..<middle, middle..<decoded.count, mark != nil)) }
                start = at + 1
            }
        }
        guard !isMalformed else { return nil }
        return places.map { place in
            QueryParameter(name: bytes[place.name], value: bytes[place.value], hasEqualsSign: place.hasEqualsSign)
        }
    }

    /// Whether the name has exactly these bytes.
    package func isNamed(_ text: String) -> Bool {
        name.span.hasSameBytes(as: text.utf8.span)
    }
}

extension [QueryParameter] {
    /// Where a name stands, by its bytes: the first place, or the first from a place on; nil where it does not.
    ///
    /// It looks at the parameters in their places: an iterator would hand out copies, each with a share in the bytes.
    package func firstIndex(named name: Span<UInt8>, from start: Int = 0) -> Int? {
        let parameters = span
        for index in start..<count where parameters[index].name.span.hasSameBytes(as: name) { return index }
        return nil
    }

    package func firstIndex(named name: String) -> Int? {
        firstIndex(named: name.utf8.span)
    }
}
