/// A number of things, as a sentence says it: `1 file`, `2 files`.
struct Counted: CustomStringConvertible {
    let description: String

    /// - Parameter noun: the singular, whose plural ends in `s`.
    init(_ count: some BinaryInteger, _ noun: String) {
        description = "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
}
