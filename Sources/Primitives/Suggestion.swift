/// Finds the name that somebody may have meant.
package enum Suggestion {
    /// The nearest of the candidates, by the whole name or by its last part; nil where none is near.
    package static func nearest(to name: String, among candidates: [String]) -> String? {
        let bytes = Array(name.utf8.prefix(128))
        let last = lastPart(bytes)
        var best: (candidate: String, distance: Int)?
        for candidate in candidates {
            let other = Array(candidate.utf8)
            // A right name at a wrong place is nearly right too.
            let distance = min(editDistance(bytes, other), editDistance(last, lastPart(other)) + 1)
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        guard let best, best.distance <= max(2, last.count / 3) else { return nil }
        return best.candidate
    }

    private static func lastPart(_ name: [UInt8]) -> [UInt8] {
        name.split(separator: UInt8(ascii: ".")).last.map { Array($0) } ?? name
    }

    /// How many bytes have to be inserted, removed, replaced or swapped with their neighbours.
    package static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                var distance = min(
                    last[column + 1] + 1, current[column] + 1, last[column] + (left[row] == right[column] ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    distance = min(distance, beforeLast[column - 1] + 1)
                }
                current.append(distance)
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }
}
