import Primitives

extension PolicyDocument {
    /// Keys whose fixed values keep a statement from being public. A user's name is none: every account may have one.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>
    private static let narrowingKeys: Set<String> = [
        "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount", "aws:userid",
        "aws:principalorgid", "aws:principalarn", "aws:principalaccount", "s3:dataaccesspointarn",
        "s3:dataaccesspointaccount",
    ]

    /// Whether it lets anybody do anything: an allowance for everyone that no condition narrows to fixed callers.
    package var isPublic: Bool {
        statements.contains { statement in
            statement.effect == .allow && statement.principals?.namesThePublic == true
                && !statement.conditions.contains(where: Self.narrows)
        }
    }

    /// Whether there is anything that it could allow somebody who says not who they are.
    package var mayAllowStrangers: Bool {
        statements.contains { $0.effect == .allow && $0.principals?.matches(.anonymous, effect: .allow) == true }
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
            return narrowingKeys.contains(condition.key) && !condition.values.isEmpty
                && condition.values.allSatisfy { isFixed($0, condition.key) }
        default: return false
        }
    }

    private static func isFixed(_ value: ConditionValue, _ key: String) -> Bool {
        switch value {
        case .pattern(let pattern), .ignoringCase(let pattern):
            return pattern.isFixed || key == "s3:dataaccesspointarn" && isAccessPoint(of: pattern)
        case .arn(let parts):
            // Which access point of a fixed account it is may be left open.
            let fixed = key == "s3:dataaccesspointarn" ? parts.dropLast() : parts[...]
            return parts.count == 6 && fixed.allSatisfy(\.isFixed)
        default: return false
        }
    }

    /// Whether the text before the first wildcard names region and account of an access point:
    /// `arn:aws:s3:REGION:ACCOUNT:accesspoint/*`.
    private static func isAccessPoint(of pattern: WildcardPattern) -> Bool {
        guard case .literal(let start)? = pattern.pieces.first else { return false }
        let parts = start.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        return parts.count >= 6 && !parts[4].isEmpty
    }
}
