import Primitives
import Yams

/// Reads the YAML file into values, with their lines.
struct ConfigurationFile {
    private let name: String
    private(set) var values: [String: RawValue] = [:]
    private(set) var problems: [ConfigurationProblem] = []

    init(name: String, text: String) {
        self.name = name
        guard text.utf8.count <= ConfigurationSources.mostFileBytes else {
            problems.append(ConfigurationProblem(.file(name: name, line: 1), "the file is larger than 1 MiB"))
            return
        }
        do {
            guard let root = try Yams.compose(yaml: text) else { return }
            read(root)
        } catch let error as YamlError {
            let (line, message) = Self.explanation(of: error, in: text)
            problems.append(ConfigurationProblem(.file(name: name, line: line), message))
        } catch {
            problems.append(ConfigurationProblem(.file(name: name, line: 1), "the file is not YAML"))
        }
    }

    /// Where the first secret stands that is written out in the file; nil where none is.
    var firstSecret: ConfigurationOrigin? {
        for key in ConfigurationTable.keys {
            guard let value = values[key.name] else { continue }
            if key.isSecret { return value.origin }
            guard case .keys(let declarations) = value.content else { continue }
            if let open = declarations.first(where: { $0.secret != nil }) { return open.origin }
        }
        return nil
    }

    private mutating func read(_ root: Node) {
        guard let mapping = root.mapping else { return note(root, "the file is to hold keys and values") }
        read(mapping, under: "", depth: 0)
    }

    private static func explanation(of error: YamlError, in text: String) -> (line: Int, message: String) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            (mark.line, "not YAML: \(problem), at column \(mark.column)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            duplicate(duplicates.first.map { "\($0)" } ?? "", of: context.mark, in: text)
        case .reader(let problem, _, _, _): (1, "not YAML: \(problem)")
        default: (1, "the file is not YAML")
        }
    }

    /// Says where a key stands for the second time: the parser knows the beginning of its group alone.
    private static func duplicate(
        _ key: String, of group: Mark, in text: String
    ) -> (line: Int, message: String) {
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let places = lines.indices.dropFirst(max(0, group.line - 1)).filter { number in
            // The group's first key stands where the group begins, behind the `- ` of a list it may be.
            let line = lines[number].dropFirst(group.column - 1)
            let indentation = lines[number].prefix(group.column - 1)
            let isIndented = indentation.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "-") }
            return isIndented && ["", "\"", "'"].contains { line.starts(with: "\($0)\(key)\($0):".utf8) }
        }
        guard places.count > 1 else { return (group.line, "the key `\(key)` stands twice in one group") }
        return (places[1] + 1, "the key `\(key)` stands twice in one group: before in line \(places[0] + 1)")
    }

    private func origin(_ node: Node) -> ConfigurationOrigin {
        .file(name: name, line: node.mark?.line ?? 1)
    }

    private mutating func note(_ node: Node, _ message: String) {
        problems.append(ConfigurationProblem(origin(node), message))
    }

    private mutating func read(_ mapping: Node.Mapping, under prefix: String, depth: Int) {
        for (keyNode, value) in mapping {
            guard let part = keyNode.scalar?.string else {
                note(keyNode, "a key is to be a word")
                continue
            }
            let key = prefix + part
            if let known = ConfigurationTable.key(key) {
                readValue(value, of: known, at: keyNode)
            } else if ConfigurationTable.isGroup(key), depth < 4 {
                if let inner = value.mapping {
                    read(inner, under: key + ".", depth: depth + 1)
                } else if !Self.isNull(value) {
                    note(keyNode, "`\(key)` is a group of keys, not a key")
                }
            } else {
                note(keyNode, ConfigurationLoader.unknown(key))
            }
        }
    }

    private mutating func readValue(_ value: Node, of key: ConfigurationKey, at keyNode: Node) {
        // A key without a value is as good as not there.
        guard !Self.isNull(value) else { return }
        switch key.kind {
        case .accessKeys:
            guard let sequence = value.sequence else { return note(keyNode, wrongType(key)) }
            var declarations: [KeyDeclaration] = []
            for entry in sequence {
                if let declaration = declaration(entry) { declarations.append(declaration) }
            }
            values[key.name] = RawValue(content: .keys(declarations), origin: origin(keyNode))
        case .list:
            if let sequence = value.sequence {
                var texts: [String] = []
                for entry in sequence {
                    guard let text = entry.scalar?.string else { return note(entry, wrongType(key)) }
                    texts.append(text)
                }
                values[key.name] = RawValue(content: .list(texts), origin: origin(keyNode))
            } else if let text = value.scalar?.string {
                values[key.name] = RawValue(content: .text(text), origin: origin(keyNode))
            } else {
                note(keyNode, wrongType(key))
            }
        default:
            guard let text = value.scalar?.string else { return note(keyNode, wrongType(key)) }
            values[key.name] = RawValue(content: .text(text), origin: origin(keyNode))
        }
    }

    private func wrongType(_ key: ConfigurationKey) -> String {
        "`\(key.name)` is to be \(key.kind.allowed)"
    }

    /// One entry of `keys`; nil after noting what is wrong with it.
    private mutating func declaration(_ node: Node) -> KeyDeclaration? {
        guard let mapping = node.mapping else {
            note(node, "an entry of `keys` is to have access-key, secret or secret-file, user, account and policies")
            return nil
        }
        var texts: [String: String] = [:]
        var policies: [KeySpecification.Policy] = []
        let names = ["access-key", "secret", "secret-file", "user", "account", "policies"]
        for (keyNode, value) in mapping {
            let key = keyNode.scalar?.string ?? ""
            guard names.contains(key) else {
                let hint = Suggestion.nearest(to: key, among: names).map { "; did you mean `\($0)`?" } ?? ""
                note(keyNode, "unknown key `\(key)` in an entry of `keys`\(hint)")
                continue
            }
            if key == "policies" {
                policies = self.policies(value)
            } else if let text = value.scalar?.string, !Self.isNull(value) {
                texts[key] = text
            } else {
                note(keyNode, "`\(key)` of an entry of `keys` is to be a text")
            }
        }
        guard let accessKey = texts["access-key"], let user = texts["user"] else {
            note(node, "an entry of `keys` needs access-key and user")
            return nil
        }
        return KeyDeclaration(
            accessKey: accessKey, secret: texts["secret"], secretFile: texts["secret-file"], user: user,
            account: texts["account"], policies: policies, origin: origin(node))
    }

    private mutating func policies(_ node: Node) -> [KeySpecification.Policy] {
        guard let sequence = node.sequence else {
            if !Self.isNull(node) { note(node, "`policies` is to be a list of names, or of policies written out") }
            return []
        }
        var policies: [KeySpecification.Policy] = []
        for entry in sequence {
            if let name = entry.scalar?.string {
                if TextForm.node.accepts(name) {
                    policies.append(.named(name))
                } else {
                    note(entry, "`\(name)` is no name of a policy: 1 to 64 letters, digits, `-`, `_` and `.`")
                }
            } else if let json = json(entry, depth: 0) {
                policies.append(.inline(json))
            }
        }
        return policies
    }

    /// A policy that is written out in YAML. Policies know texts and truth values alone, so that every other scalar
    /// stays a text.
    private mutating func json(_ node: Node, depth: Int) -> JSON? {
        guard depth < 16 else {
            note(node, "the policy is nested too deep")
            return nil
        }
        switch node {
        case .scalar(let scalar):
            guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
            return switch scalar.string {
            case "true": true
            case "false": false
            default: .string(scalar.string)
            }
        case .sequence(let sequence):
            var elements: [JSON] = []
            for entry in sequence {
                guard let element = json(entry, depth: depth + 1) else { return nil }
                elements.append(element)
            }
            return .array(elements)
        case .mapping(let mapping):
            var object = JSONObject()
            for (key, value) in mapping {
                guard let name = key.scalar?.string, let member = json(value, depth: depth + 1) else { return nil }
                object[name] = member
            }
            return .object(object)
        case .alias:
            note(node, "an alias cannot stand in a policy")
            return nil
        }
    }

    private static func isNull(_ node: Node) -> Bool {
        guard let scalar = node.scalar, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null"].contains(scalar.string)
    }
}
