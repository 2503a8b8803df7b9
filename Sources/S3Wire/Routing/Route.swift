import Primitives

/// Which requests an operation answers: a method on a level of the resource tree, chosen by names in the query.
package struct Route: Sendable, Hashable {
    package enum Level: Sendable, Hashable {
        case service
        case bucket
        case object
    }

    /// The operation, as S3's API reference spells it.
    package var operation: String
    package var method: String
    package var level: Level
    /// The names in the query that choose it; exactly these must be there of all that choose an operation.
    package var selectors: Set<String>
    /// Further names in the query that tell it from another operation with the same selectors: with `id`, one
    /// configuration is read, without it all are listed.
    package var parameters: Set<String>
    /// Whether it copies, which `x-amz-copy-source` says.
    package var copies: Bool

    package init(
        _ operation: String, _ method: String, _ level: Level, _ selectors: Set<String> = [],
        _ parameters: Set<String> = [], copies: Bool = false
    ) {
        (self.operation, self.method, self.level, self.selectors) = (operation, method, level, selectors)
        (self.parameters, self.copies) = (parameters, copies)
    }
}
