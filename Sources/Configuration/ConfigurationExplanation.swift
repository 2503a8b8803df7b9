/// Writes the whole configuration as a commented YAML file.
package enum ConfigurationExplanation {
    /// A file that sets every key that has a default to that default, and names the others in comments.
    package static func yaml() -> String {
        var lines = [
            "# The configuration of Tidegate: every key, with its default.",
            "# A value is taken from this file, from the environment, from `--set KEY=VALUE` and from flags; the "
                + "later wins.",
            "# An empty variable of the environment sets nothing.",
        ]
        var group: String?
        for key in ConfigurationTable.keys {
            let parts = key.name.utf8.split(separator: UInt8(ascii: ".")).map { String(decoding: $0, as: UTF8.self) }
            let keyGroup = parts.count > 1 ? parts[0] : nil
            lines.append("")
            if let keyGroup, keyGroup != group { lines.append("\(keyGroup):") }
            group = keyGroup
            let indent = keyGroup == nil ? "" : "  "
            lines += wrapped(key.documentation).map { "\(indent)# \($0)" }
            lines.append("\(indent)# Value: \(key.kind.allowed).")
            if let variable = key.environmentVariable { lines.append("\(indent)# Environment: \(variable)") }
            lines += setting(key, name: parts.last ?? key.name).map { indent + $0 }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func setting(_ key: ConfigurationKey, name: String) -> [String] {
        switch (key.kind, key.defaultText) {
        case (.accessKeys, _):
            [
                "# \(name):", "#   - access-key: ANNSKEY", "#     secret-file: secrets/ann", "#     user: ann",
                "#     policies: [read-only]",
            ]
        case (.list, let text?): ["\(name): [\(text)]"]
        // Quoted, since YAML takes a number's leading zeros and some words for something else.
        case (.text, let text?): ["\(name): \"\(text)\""]
        case (_, let text?): ["\(name): \(text)"]
        case (.list, nil): ["# \(name): []"]
        case (_, nil): ["# \(name):"]
        }
    }

    /// Lines of at most 110 columns.
    private static func wrapped(_ text: String) -> [String] {
        var lines: [String] = []
        for word in text.utf8.split(separator: UInt8(ascii: " ")).map({ String(decoding: $0, as: UTF8.self) }) {
            if let last = lines.last, last.utf8.count + word.utf8.count < 110 {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(word)
            }
        }
        return lines
    }
}
