/// A number of things, as a sentence says it: `1 file`, `2 files`.
struct Counted: CustomStringConvertible {
    let description: String

    /// - Parameter plural: where it is not the singular with an `s`.
    init(_ count: some BinaryInteger, _ noun: String, _ plural: String? = nil) {
        description = "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
    }
}
