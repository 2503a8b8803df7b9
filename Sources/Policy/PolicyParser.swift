import Primitives

/// Reads a policy's JSON into statements.
struct PolicyParser {
    let kind: PolicyDocument.Kind
    /// Whether actions and condition keys are looked up.
    let checksNames: Bool

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
        for (index, json) in list.enumerated() {
            do throws(PolicyError) {
                statements.append(try self.statement(json, variables: variables))
            } catch {
                let sid = json.objectValue?["Sid"]?.stringValue
                throw error.located(in: "\(index + 1)" + (sid.map { " (\($0))" } ?? ""))
            }
        }
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
        let (actions, concernsS3) = try self.actions(object)
        let resources = try self.resources(object, variables: variables)
        let names = checksNames && concernsS3 ? NameCheck(effect: effect) : nil
        for pattern in resources.patterns { try names?.check(variablesOf: pattern) }
        return Statement(
            sid: sid?.isEmpty == true ? nil : sid, effect: effect, principals: try principals(object, effect: effect),
            actions: actions, resources: resources,
            conditions: try ConditionParser(variables: variables, names: names).conditions(object["Condition"]))
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

    /// The actions, and whether S3's are among them.
    private func actions(_ object: JSONObject) throws(PolicyError) -> (Statement.Element, concernsS3: Bool) {
        let complaint = "Policy has invalid action"
        let (texts, isNegated) = try strings(object, "Action", complaint)
        var patterns: [WildcardPattern] = []
        var concernsS3 = isNegated
        for text in texts {
            guard let service = service(ofAction: text) else { throw PolicyError(complaint) }
            if checksNames { try check(action: text, of: service) }
            concernsS3 = concernsS3 || ["*", "s3"].contains(service)
            patterns.append(try WildcardPattern(text.lowercased().utf8, variables: false))
        }
        return (Statement.Element(patterns: patterns, isNegated: isNegated), concernsS3)
    }

    /// The prefix of an action's service, in lower case; `*` where it is all actions, nil where it is malformed.
    private func service(ofAction text: String) -> String? {
        if text == "*" { return text }
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty,
            parts[0].allSatisfy({ isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }),
            parts[1].allSatisfy({ isLetterOrDigit($0) || "*?".utf8.contains($0) })
        else { return nil }
        return String(Substring(parts[0])).lowercased()
    }

    /// Refuses what no request can be, so that no denial of it is taken for one. A bucket knows S3's actions alone.
    private func check(action: String, of service: String) throws(PolicyError) {
        if service == "*" { return }
        let name = String(decoding: action.utf8.dropFirst(service.utf8.count + 1), as: UTF8.self)
        guard service == "s3" || kind == .identity && ActionNames.knows(service) else {
            guard kind == .identity, ActionNames.otherServices.contains(service) else {
                throw PolicyError("Policy has invalid action: \(action) is no action of S3")
            }
            return
        }
        guard try ActionNames.meansAny(name.lowercased(), of: service) else {
            let hint = ActionNames.suggestion(for: name, of: service).map { "; did you mean \($0)?" } ?? ""
            throw PolicyError("Policy has invalid action: \(action)\(hint)")
        }
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
        let pattern = try WildcardPattern(name, variables: false).compiled
        return pattern?.matches(Array(bucket.utf8), EvaluationCost()) == true
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
