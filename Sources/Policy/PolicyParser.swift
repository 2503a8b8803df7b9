import Primitives

/// Reads a policy's JSON into statements.
struct PolicyParser {
    let kind: PolicyDocument.Kind

    private static let elements: Set<String> = [
        "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
    ]

    func document(_ bytes: [UInt8]) throws(PolicyError) -> PolicyDocument {
        let json: JSON
        do throws(JSONError) {
            json = try JSON.parse(bytes, limits: JSONLimits(bytes: PolicyDocument.maximumBytes, depth: 16))
        } catch {
            throw PolicyError("Policies must be valid JSON and the first byte must be '{' (\(error)).")
        }
        guard let object = json.objectValue else {
            throw PolicyError("Policies must be valid JSON and the first byte must be '{'")
        }
        for member in object.members where !["Version", "Id", "Statement"].contains(member.name) {
            throw PolicyError("Unknown field \(member.name)")
        }
        let variables = try Self.hasVariables(object["Version"])
        guard let statement = object["Statement"] else { throw PolicyError("Missing required field Statement") }
        let list = statement.arrayValue ?? [statement]
        guard !list.isEmpty else { throw PolicyError("Missing required field Statement") }
        var statements: [Statement] = []
        for json in list { statements.append(try self.statement(json, variables: variables)) }
        let names = statements.compactMap { $0.sid.map { Array($0.utf8) } }
        guard Set(names).count == names.count else {
            throw PolicyError("Statement IDs (SID) in a single policy must be unique.")
        }
        return PolicyDocument(id: try Self.text(object["Id"], "Id"), statements: statements)
    }

    /// Only the newer of the two versions of the language has variables.
    private static func hasVariables(_ version: JSON?) throws(PolicyError) -> Bool {
        switch version?.stringValue {
        case "2012-10-17": return true
        case "2008-10-17": return false
        default:
            guard version == nil else { throw PolicyError("The policy must contain a valid version string") }
            return false
        }
    }

    private static func text(_ value: JSON?, _ name: String) throws(PolicyError) -> String? {
        guard let value else { return nil }
        guard let text = value.stringValue else { throw PolicyError("\(name) must be a string") }
        return text
    }

    private func statement(_ json: JSON, variables: Bool) throws(PolicyError) -> Statement {
        guard let object = json.objectValue else { throw PolicyError("Statement must be an object") }
        for member in object.members where !Self.elements.contains(member.name) {
            throw PolicyError("Unknown field \(member.name)")
        }
        guard let effectText = try Self.text(object["Effect"], "Effect") else {
            throw PolicyError("Missing required field Effect")
        }
        guard let effect = Statement.Effect(rawValue: effectText) else {
            throw PolicyError("Invalid effect: \(effectText)")
        }
        let sid = try Self.text(object["Sid"], "Sid")
        return Statement(
            sid: sid?.isEmpty == true ? nil : sid, effect: effect, principals: try principals(object, effect: effect),
            actions: try actions(object), resources: try resources(object, variables: variables),
            conditions: try ConditionParser(variables: variables).conditions(object["Condition"]))
    }

    /// The strings of an element that may be one or a list, under its name or under `Not` and its name.
    private func strings(
        _ object: JSONObject, _ name: String, _ complaint: String
    ) throws(PolicyError) -> (texts: [String], isNegated: Bool) {
        let (plain, negated) = (object[name], object["Not" + name])
        guard plain == nil || negated == nil else {
            throw PolicyError("Statement has both \(name) and Not\(name)")
        }
        guard let value = plain ?? negated else { throw PolicyError("Missing required field \(name)") }
        let list = value.arrayValue ?? [value]
        let texts = list.compactMap(\.stringValue)
        guard !texts.isEmpty, texts.count == list.count else { throw PolicyError(complaint) }
        return (texts, negated != nil)
    }

    private func actions(_ object: JSONObject) throws(PolicyError) -> Statement.Element {
        let complaint = "Policy has invalid action"
        let (texts, isNegated) = try strings(object, "Action", complaint)
        var patterns: [WildcardPattern] = []
        for text in texts {
            guard isAction(text) else { throw PolicyError(complaint) }
            patterns.append(try WildcardPattern(text.lowercased().utf8, variables: false))
        }
        return Statement.Element(patterns: patterns, isNegated: isNegated)
    }

    /// `*`, or a service's prefix, a colon and a name. Of services, a bucket policy knows S3 alone.
    private func isAction(_ text: String) -> Bool {
        if text == "*" { return true }
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return false }
        if case .bucket = kind, !["s3", "s3-object-lambda"].contains(String(Substring(parts[0])).lowercased()) {
            return false
        }
        return parts[0].allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
            && parts[1].allSatisfy { isLetterOrDigit($0) || "*?".utf8.contains($0) }
    }

    private func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private func resources(_ object: JSONObject, variables: Bool) throws(PolicyError) -> Statement.Element {
        let complaint = "Policy has invalid resource"
        let (texts, isNegated) = try strings(object, "Resource", complaint)
        var patterns: [WildcardPattern] = []
        for text in texts {
            guard try isResource(text) else { throw PolicyError(complaint) }
            patterns.append(try WildcardPattern(text.utf8, variables: variables))
        }
        return Statement.Element(patterns: patterns, isNegated: isNegated)
    }

    /// A bucket policy's resources are this bucket and what is in it: what stands before the first slash must match it.
    private func isResource(_ text: String) throws(PolicyError) -> Bool {
        guard case .bucket(let bucket) = kind else {
            return text == "*" || ConditionValue.arnParts(text).count == 6 && text.utf8.starts(with: "arn:".utf8)
        }
        let prefix = "arn:aws:s3:::"
        guard text.utf8.starts(with: prefix.utf8) else { return false }
        let name = text.utf8.dropFirst(prefix.utf8.count).prefix { $0 != UInt8(ascii: "/") }
        guard !name.contains(UInt8(ascii: "$")) else { return false }
        let pattern = ResolvedPattern(try WildcardPattern(name, variables: false))
        return pattern.matches(Array(bucket.utf8))
    }

    private func principals(
        _ object: JSONObject, effect: Statement.Effect
    ) throws(PolicyError) -> PrincipalElement? {
        let (plain, negated) = (object["Principal"], object["NotPrincipal"])
        if case .identity = kind {
            guard plain == nil, negated == nil else {
                throw PolicyError("Policy document should not specify a principal.")
            }
            return nil
        }
        guard plain == nil || negated == nil else {
            throw PolicyError("Statement has both Principal and NotPrincipal")
        }
        // Allowing all but some would allow whoever is made up later, anonymous callers first.
        if negated != nil, effect == .allow { throw PolicyError("Allow with NotPrincipal is not allowed.") }
        guard let value = plain ?? negated else { throw PolicyError("Missing required field Principal") }
        return PrincipalElement(names: try PrincipalParser.names(value), isNegated: negated != nil)
    }
}

extension ResolvedPattern {
    /// The pattern of a text without variables.
    init(_ pattern: WildcardPattern) {
        tokens = pattern.pieces.flatMap { piece -> [Token] in
            switch piece {
            case .literal(let bytes): bytes.map { .byte($0) }
            case .anyByte: [.anyByte]
            case .anyBytes: [.anyBytes]
            case .variable: []
            }
        }
    }
}
