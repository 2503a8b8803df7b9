/// One parameter of a query string, decoded once.
package struct QueryParameter: Sendable {
    package let name: ArraySlice<UInt8>
    /// Empty where there was no equals sign.
    package let value: ArraySlice<UInt8>
    /// Whether the name came with an equals sign.
    package let hasEqualsSign: Bool

    /// The parameters of a raw query. `+` is a space, as S3 reads it, and empty pieces between two `&` are nothing. Nil
    /// where a `%` is not followed by two digits.
    package static func parse(_ rawQuery: Substring) -> [QueryParameter]? {
        // Decoded in its place, which is never shorter, so that all of them share one array. Looked at by positions: a
        // slice would be a second owner, for whom the array is copied before it changes.
        var bytes = Array(rawQuery.utf8)
        var places: [(name: Range<Int>, value: Range<Int>, hasEqualsSign: Bool)] = []
        places.reserveCapacity(8)
        var (start, written) = (0, 0)
        while start < bytes.count {
            var (mark, end) = (Int?.none, start)
            while end < bytes.count, bytes[end] != UInt8(ascii: "&") {
                if mark == nil, bytes[end] == UInt8(ascii: "=") { mark = end }
                end += 1
            }
            defer { start = end + 1 }
            guard end > start else { continue }
            let rest = (mark.map { $0 + 1 } ?? end)..<end
            guard let name = PercentCoding.decodeForm(in: &bytes, start..<(mark ?? end), to: written),
                let value = PercentCoding.decodeForm(in: &bytes, rest, to: name.upperBound)
            else { return nil }
            written = value.upperBound
            places.append((name, value, mark != nil))
        }
        return places.map { place in
            QueryParameter(name: bytes[place.name], value: bytes[place.value], hasEqualsSign: place.hasEqualsSign)
        }
    }

    /// Whether the name has exactly these bytes.
    package func isNamed(_ text: String) -> Bool {
        name.count == text.utf8.count && name.elementsEqual(text.utf8)
    }
}
