extension PolicyDocument {
    /// Keys whose fixed values keep a statement from being public.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>
    private static let narrowingKeys: Set<String> = [
        "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount", "aws:userid",
        "aws:principalorgid", "aws:principalarn", "aws:principalaccount", "aws:username", "s3:dataaccesspointarn",
        "s3:dataaccesspointaccount",
    ]

    /// Whether it lets anybody do anything: an allowance for everyone that no condition narrows to fixed callers.
    package var isPublic: Bool {
        statements.contains { statement in
            statement.effect == .allow && statement.principals?.namesEveryone == true
                && !statement.conditions.contains(where: Self.narrows)
        }
    }

    private static func narrows(_ condition: Condition) -> Bool {
        let comparison = condition.comparison
        guard !comparison.isNegated, !comparison.ifExists, comparison.quantifier != .forAllValues else { return false }
        switch comparison.comparison {
        case .ipAddress:
            guard condition.key == "aws:sourceip" else { return false }
            return condition.values.allSatisfy { value in
                // Wider ranges than these hold whole registries, as S3 sees it.
                if case .range(let range) = value { range.prefix >= (range.bytes.count == 4 ? 8 : 32) } else { false }
            }
        case .stringEquals, .stringEqualsIgnoreCase, .stringLike, .arnLike:
            return narrowingKeys.contains(condition.key) && condition.patterns.allSatisfy(\.isFixed)
                && !condition.patterns.isEmpty
        default: return false
        }
    }
}
