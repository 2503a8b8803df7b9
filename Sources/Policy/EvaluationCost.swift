/// What a decision costs, counted in steps: bytes compared, or work of about that size.
///
/// Whoever owns a bucket writes its policy, and anybody writes the texts that it is held against, so neither may decide
/// how long the server works. A decision that would cost more than the limit is a denial: what was not compared might
/// have been denied.
package final class EvaluationCost {
    /// A policy of the largest size, every pattern of which has to be searched for in the longest key, stays below it;
    /// it is one or two milliseconds.
    package static let limit = 1 << 20

    private let limit: Int
    /// How many steps were taken.
    package private(set) var steps = 0

    package init(limit: Int = EvaluationCost.limit) {
        self.limit = limit
    }

    /// Whether the limit was passed, so that nothing that was found since is to be trusted.
    package var isExceeded: Bool { steps > limit }

    /// Counts steps that are about to be taken.
    ///
    /// - Returns: Whether they may be. What did not match since it may not be compared does not make a decision wrong:
    ///   `decide` asks at its end whether the limit was passed.
    func spend(_ count: Int) -> Bool {
        steps += count
        return !isExceeded
    }
}
