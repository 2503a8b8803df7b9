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

    /// Whether any condition or variable asks for the tags of the object that exists, which then have to be read first.
    package let usesExistingObjectTags: Bool

    init(id: String?, statements: [Statement]) {
        (self.id, self.statements) = (id, statements)
        let prefix = "s3:existingobjecttag/"
        usesExistingObjectTags = statements.contains { statement in
            let patterns = statement.resources.patterns + statement.conditions.flatMap(\.patterns)
            let keys = statement.conditions.map(\.key) + patterns.flatMap(\.variableKeys)
            return keys.contains { $0.utf8.starts(with: prefix.utf8) }
        }
    }

    /// Reads a policy. What is not understood is refused: unknown elements, operators and versions, values that their
    /// operators cannot take, actions and condition keys that do not exist, and conditions that can do nothing since
    /// no request here has their key.
    ///
    /// - Parameter bytes: JSON, at most 20 KiB.
    /// - Throws: `PolicyError`, whose message S3 answers as `MalformedPolicy`.
    package static func parse(_ bytes: [UInt8], kind: Kind) throws(PolicyError) -> PolicyDocument {
        try parse(bytes, kind: kind, checksNames: true)
    }

    /// Reads a policy that was accepted once. Which actions and keys exist was looked up then: a bucket whose policy
    /// names one that another version of this server knows must stay readable, by the rest of its policy.
    ///
    /// - Throws: `PolicyError` for what is no policy in any version.
    package static func parse(stored bytes: [UInt8], bucket: String) throws(PolicyError) -> PolicyDocument {
        try parse(bytes, kind: .bucket(bucket), checksNames: false)
    }

    private static func parse(
        _ bytes: [UInt8], kind: Kind, checksNames: Bool
    ) throws(PolicyError) -> PolicyDocument {
        guard bytes.count <= maximumBytes else {
            throw PolicyError("Policy exceeds the maximum allowed document size.")
        }
        return try PolicyParser(kind: kind, checksNames: checksNames).document(bytes)
    }
}
