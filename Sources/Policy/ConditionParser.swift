import Primitives

/// Reads the value of `Condition`: operators, in each of them keys, for each of them values.
struct ConditionParser {
    let variables: Bool
    /// Nil where keys are not looked up.
    let names: NameCheck?

    func conditions(_ value: JSON?) throws(PolicyError) -> [Condition] {
        guard let value else { return [] }
        guard let block = value.objectValue else { throw PolicyError("Condition must be an object") }
        var conditions: [Condition] = []
        for entry in block.members {
            guard let comparison = ConditionOperator(entry.name) else {
                throw PolicyError("Invalid Condition type : \(entry.name)")
            }
            guard let keys = entry.value.objectValue, !keys.members.isEmpty else {
                throw PolicyError("Invalid Condition block: \(entry.name) has no keys")
            }
            for member in keys.members {
                let key = member.name.lowercased()
                guard isKey(key) else { throw PolicyError("Invalid condition key: \(member.name)") }
                let condition = Condition(
                    comparison: comparison, key: key, values: try values(member.value, comparison))
                try names?.check(condition, named: member.name)
                conditions.append(condition)
            }
        }
        return conditions
    }

    private func values(
        _ value: JSON, _ comparison: ConditionOperator
    ) throws(PolicyError) -> [ConditionValue] {
        let list = value.arrayValue ?? [value]
        guard !list.isEmpty else { throw PolicyError("A condition has no values") }
        if comparison.comparison == .null, list.count != 1 { throw PolicyError("Null takes one value") }
        var values: [ConditionValue] = []
        for entry in list {
            let text: String
            switch entry {
            case .string(let string): text = string
            case .bool(let bool): text = bool ? "true" : "false"
            case .integer(let integer): text = String(integer)
            case .double(let double): text = String(double)
            default: throw PolicyError("A value in a condition is neither text nor number nor truth value")
            }
            values.append(try ConditionValue(text, for: comparison.comparison, variables: variables))
        }
        return values
    }

    /// A service's prefix, a colon and a name.
    private func isKey(_ key: String) -> Bool {
        guard let colon = key.utf8.firstIndex(of: UInt8(ascii: ":")) else { return false }
        return colon > key.utf8.startIndex && key.utf8.index(after: colon) < key.utf8.endIndex && key.utf8.count <= 512
    }
}
