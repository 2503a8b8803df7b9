/// A matcher that is plain and quadratic, to hold the one that is linear against: it remembers the last star and tries
/// every place after it.
enum ReferenceMatcher {
    static func matches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
        var (place, token) = (0, 0)
        var star: (token: Int, place: Int)?
        while place < text.count {
            if token < pattern.count, pattern[token] == UInt8(ascii: "*") {
                star = (token, place)
                token += 1
            } else if token < pattern.count, pattern[token] == UInt8(ascii: "?") || pattern[token] == text[place] {
                token += 1
                place += 1
            } else if let last = star {
                // One more byte goes to the last star.
                star = (last.token, last.place + 1)
                token = last.token + 1
                place = last.place + 1
            } else {
                return false
            }
        }
        while token < pattern.count, pattern[token] == UInt8(ascii: "*") { token += 1 }
        return token == pattern.count
    }
}
