/// A pattern whose variables have their values, taken apart at its stars: what a text begins with, what follows in this
/// order, and what it ends with.
///
/// Each segment is searched for from the end of the one before and stands where it is found first. That loses no match,
/// since a segment has one length and what is left for the others is only more; and so no place is looked at for two
/// segments, and the cost is linear in the text.
struct CompiledPattern: Sendable, Hashable {
    /// At least one; where there are several, a star stands between each and the next.
    private var segments = [PatternSegment()]
    /// The length of the shortest text that matches.
    private var minimum = 0

    mutating func append(_ bytes: some Collection<UInt8>) {
        minimum += bytes.count
        segments[segments.count - 1].append(bytes)
    }

    /// One `?`.
    mutating func appendAny() {
        minimum += 1
        segments[segments.count - 1].appendAny()
    }

    /// One `*`.
    mutating func appendStar() {
        let last = segments.count - 1
        if last > 0 {
            // Two stars with nothing between them are one.
            guard segments[last].count > 0 else { return }
            segments[last].prepareSearch()
        }
        segments.append(PatternSegment())
    }

    /// Whether the whole text matches; false also where finding out would cost more than it may.
    func matches(_ text: [UInt8], _ cost: EvaluationCost) -> Bool {
        guard cost.spend(1), text.count >= minimum else { return false }
        let (head, tail) = (segments[0], segments[segments.count - 1])
        guard segments.count > 1 else { return text.count == minimum && head.matches(text, at: 0, cost) }
        let end = text.count - tail.count
        guard head.matches(text, at: 0, cost), tail.matches(text, at: end, cost) else { return false }
        var place = head.count
        for segment in segments[1..<(segments.count - 1)] {
            guard let found = segment.firstPlace(in: text, place..<end, cost) else { return false }
            place = found + segment.count
        }
        return true
    }
}
