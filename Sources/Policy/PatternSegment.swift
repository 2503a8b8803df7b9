/// What stands between two stars of a pattern: bytes, some of which may be any.
struct PatternSegment: Sendable, Hashable {
    private(set) var bytes: [UInt8] = []
    /// The offsets at which any byte matches, in ascending order; what `bytes` has there means nothing.
    private(set) var anyOffsets: [Int32] = []
    /// For each byte, how long the longest proper beginning of the segment is that ends there too (Knuth, Morris,
    /// Pratt). Made for segments that are searched for and have no `?`.
    private var borders: [Int32] = []

    var count: Int { bytes.count }
    var isFixed: Bool { anyOffsets.isEmpty }

    mutating func append(_ more: some Sequence<UInt8>) {
        bytes.append(contentsOf: more)
    }

    mutating func appendAny() {
        anyOffsets.append(Int32(bytes.count))
        bytes.append(UInt8(ascii: "?"))
    }

    /// Makes it ready to be searched for.
    mutating func prepareSearch() {
        guard isFixed, count > 1 else { return }
        borders = [0]
        borders.reserveCapacity(count)
        var length = 0
        for place in 1..<count {
            while length > 0, bytes[place] != bytes[length] { length = Int(borders[length - 1]) }
            if bytes[place] == bytes[length] { length += 1 }
            borders.append(Int32(length))
        }
    }

    /// Whether it matches the bytes of the text from a place on, of which there are enough.
    func matches(_ text: [UInt8], at place: Int, _ cost: EvaluationCost) -> Bool {
        guard cost.spend(count + 1) else { return false }
        var next = 0
        for offset in 0..<count {
            if next < anyOffsets.count, anyOffsets[next] == offset {
                next += 1
            } else if text[place + offset] != bytes[offset] {
                return false
            }
        }
        return true
    }

    /// Where, within a range of the text, it matches first; nil where it does not, or where the search would cost more
    /// than it may.
    func firstPlace(in text: [UInt8], _ range: Range<Int>, _ cost: EvaluationCost) -> Int? {
        guard range.count >= count, cost.spend(1) else { return nil }
        if anyOffsets.count == count { return range.lowerBound }
        return isFixed ? searchFixed(text, range, cost) : searchWithAny(text, range, cost)
    }

    /// At most two comparisons for each byte of the text.
    private func searchFixed(_ text: [UInt8], _ range: Range<Int>, _ cost: EvaluationCost) -> Int? {
        var (matched, steps) = (0, 0)
        var found: Int?
        for place in range {
            steps += 1
            while matched > 0, bytes[matched] != text[place] {
                matched = Int(borders[matched - 1])
                steps += 1
            }
            if bytes[matched] == text[place] { matched += 1 }
            if matched == count {
                found = place - count + 1
                break
            }
        }
        return cost.spend(steps) ? found : nil
    }

    /// One step for each 64 bytes of the segment and each byte of the text: bit *i* of the state says whether the
    /// segment's first *i* + 1 bytes match what ends here (Baeza-Yates, Gonnet).
    private func searchWithAny(_ text: [UInt8], _ range: Range<Int>, _ cost: EvaluationCost) -> Int? {
        let words = (count + 63) / 64
        // Clearing a word costs less than a comparison.
        guard cost.spend(words * 32) else { return nil }
        let masks = masks(words)
        var state = [UInt64](repeating: 0, count: words)
        let last = UInt64(1) << UInt64((count - 1) % 64)
        for place in range {
            guard cost.spend(words) else { return nil }
            let mask = Int(text[place]) * words
            var carry: UInt64 = 1
            for word in 0..<words {
                let next = state[word] >> 63
                state[word] = (state[word] << 1 | carry) & masks[mask + word]
                carry = next
            }
            if state[words - 1] & last != 0 { return place - count + 1 }
        }
        return nil
    }

    /// For each byte, at which offsets it matches.
    private func masks(_ words: Int) -> [UInt64] {
        var any = [UInt64](repeating: 0, count: words)
        for offset in anyOffsets { any[Int(offset) / 64] |= 1 << UInt64(offset % 64) }
        var masks: [UInt64] = []
        masks.reserveCapacity(256 * words)
        for _ in 0..<256 { masks.append(contentsOf: any) }
        for (offset, byte) in bytes.enumerated() {
            let isAny = any[offset / 64] >> UInt64(offset % 64) & 1 == 1
            if !isAny { masks[Int(byte) * words + offset / 64] |= 1 << UInt64(offset % 64) }
        }
        return masks
    }
}
