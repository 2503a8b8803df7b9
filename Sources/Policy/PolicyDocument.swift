/// A policy in IAM's language, read and checked.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>
package struct PolicyDocument: Sendable, Hashable {
    /// Where a policy stands, on which some rules of the language depend.
    package enum Kind: Sendable, Hashable {
        /// Attached to a user: it names no principal.
        case identity
        /// Attached to the bucket of this name: every statement names principals, and resources of this bucket alone.
        case bucket(String)
    }

    /// The largest policy, in bytes: S3's limit for a bucket policy.
    package static let maximumBytes = 20 * 1024

    /// The document's own `Id`, which means nothing.
    package let id: String?
    let statements: [Statement]

    init(id: String?, statements: [Statement]) {
        (self.id, self.statements) = (id, statements)
    }

    /// Reads a policy. What is not understood is refused: unknown elements, operators and versions, and values that
    /// their operators cannot take.
    ///
    /// - Parameter bytes: JSON, at most 20 KiB.
    /// - Throws: `PolicyError`, whose message S3 answers as `MalformedPolicy`.
    package static func parse(_ bytes: [UInt8], kind: Kind) throws(PolicyError) -> PolicyDocument {
        guard bytes.count <= maximumBytes else {
            throw PolicyError("Policy exceeds the maximum allowed document size.")
        }
        return try PolicyParser(kind: kind).document(bytes)
    }

    /// Whether any condition or variable asks for the tags of the object that exists, which then have to be read first.
    package var usesExistingObjectTags: Bool {
        let prefix = "s3:existingobjecttag/"
        return statements.contains { statement in
            let patterns = statement.resources.patterns + statement.conditions.flatMap(\.patterns)
            let keys = statement.conditions.map(\.key) + patterns.flatMap(\.variableKeys)
            return keys.contains { $0.utf8.starts(with: prefix.utf8) }
        }
    }
}

extension Condition {
    /// The patterns among its values.
    var patterns: [WildcardPattern] {
        values.flatMap { value -> [WildcardPattern] in
            switch value {
            case .pattern(let pattern), .ignoringCase(let pattern): [pattern]
            case .arn(let parts): parts
            default: []
            }
        }
    }
}
