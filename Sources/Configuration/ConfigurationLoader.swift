import Primitives

/// What a configuration is made from; a later one of these overrides an earlier one.
package struct ConfigurationSources: Sendable {
    /// The file's name, for messages, and its text.
    package var file: (name: String, text: String)?
    /// Why the file must not hold a secret; nil where its owner alone can read it.
    package var fileExposure: PrivateFileError?
    /// The environment of the process; what does not begin with `TIDEGATE_` is left alone.
    package var environment: [String: String]
    /// `KEY=VALUE`, as given to `--set`.
    package var settings: [String]
    /// Flags of their own: the flag, the key that it sets, and the value.
    package var flags: [(flag: String, key: String, value: String)]
    /// Reads a file that holds a secret; throws a sentence that says why it cannot be used.
    package var readSecretFile: @Sendable (_ path: String) throws(PrivateFileError) -> String

    /// Bytes of the largest file that is read.
    package static let mostFileBytes = 1 << 20

    package init(
        file: (name: String, text: String)? = nil, environment: [String: String] = [:], settings: [String] = [],
        flags: [(flag: String, key: String, value: String)] = [],
        readSecretFile: @escaping @Sendable (_ path: String) throws(PrivateFileError) -> String = PrivateFile.read
    ) {
        (self.file, self.environment, self.settings, self.flags) = (file, environment, settings, flags)
        self.readSecretFile = readSecretFile
    }
}

/// A configuration, and what is to be said about it.
package struct LoadedConfiguration: Sendable {
    package let configuration: TidegateConfiguration
    /// Sentences for the log: what was ignored.
    package let warnings: [String]
    /// Every key that has a value, with the value as it would be written (a secret is `(secret)`) and its origin.
    package let effective: [(key: String, value: String, origin: ConfigurationOrigin)]
}

/// Reads a configuration: file, then environment, then `--set`, then flags.
package enum ConfigurationLoader {
    /// - Throws: everything that is wrong, with places, what is allowed and what may have been meant.
    package static func load(_ sources: ConfigurationSources) throws(ConfigurationError) -> LoadedConfiguration {
        var layers = ConfigurationLayers()
        if let file = sources.file {
            layers.add(ConfigurationFile(name: file.name, text: file.text), exposure: sources.fileExposure)
        }
        layers.add(environment: sources.environment)
        for setting in sources.settings { layers.add(setting: setting) }
        for flag in sources.flags { layers.set(flag.key, .text(flag.value), .flag(flag.flag)) }
        guard layers.problems.isEmpty else { throw ConfigurationError(layers.problems) }
        var builder = ConfigurationBuilder(layers, readSecretFile: sources.readSecretFile)
        let configuration = builder.build()
        guard let configuration, builder.problems.isEmpty else { throw ConfigurationError(builder.problems) }
        return LoadedConfiguration(
            configuration: configuration, warnings: layers.warnings, effective: layers.effective())
    }

    /// The message about a key that there is not.
    static func unknown(_ key: String) -> String {
        let hint = Suggestion.nearest(to: key, among: ConfigurationTable.keys.map(\.name))
        return "unknown key `\(key)`" + (hint.map { "; did you mean `\($0)`?" } ?? "; see `tidegate config --explain`")
    }
}

/// The values of all sources, merged.
struct ConfigurationLayers {
    private(set) var values: [String: (value: ConfigurationValue, origin: ConfigurationOrigin)] = [:]
    private(set) var keys: (declarations: [KeyDeclaration], origin: ConfigurationOrigin)?
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var warnings: [String] = []

    init() {
        for key in ConfigurationTable.keys {
            guard let text = key.defaultText else { continue }
            set(key.name, .text(text), .builtIn)
        }
    }

    mutating func add(_ file: ConfigurationFile, exposure: PrivateFileError?) {
        problems += file.problems
        if let exposure, let secret = file.firstSecret { note(secret, "a secret stands here, but \(exposure)") }
        // In the order of the table, so that problems come in one order.
        for key in ConfigurationTable.keys {
            if let value = file.values[key.name] { set(key.name, value.content, value.origin) }
        }
    }

    mutating func add(environment: [String: String]) {
        var known: Set<String> = []
        for key in ConfigurationTable.keys {
            guard let variable = key.environmentVariable else { continue }
            known.insert(variable)
            // Compose and scripts pass what they have no value for as an empty variable.
            if let text = environment[variable], !text.utf8.isEmpty {
                set(key.name, .text(text), .environment(variable: variable))
            }
        }
        // Others may own such names (Kubernetes sets TIDEGATE_PORT for a service of our name), so that they don't stop
        // the start.
        let prefix = Array("TIDEGATE_".utf8)
        for (variable, text) in environment.sorted(by: { $0.key < $1.key })
        where variable.utf8.starts(with: prefix) && !text.utf8.isEmpty && !known.contains(variable) {
            let hint = Suggestion.nearest(to: variable, among: known.sorted()).map { "; did you mean \($0)?" } ?? ""
            warnings.append("The environment variable \(variable) sets nothing\(hint)")
        }
    }

    mutating func add(setting: String) {
        guard let equals = setting.utf8.firstIndex(of: UInt8(ascii: "=")) else {
            return note(nil, "--set wants KEY=VALUE")
        }
        let name = String(setting[..<equals])
        guard let key = ConfigurationTable.key(name) else {
            return note(.setting(name), ConfigurationLoader.unknown(name))
        }
        guard !key.isSecret else {
            return note(
                .setting(name),
                "a secret on the command line can be read by others: put it into the file or into "
                    + "\(key.environmentVariable ?? "")"
            )
        }
        set(name, .text(String(setting[setting.utf8.index(after: equals)...])), .setting(name))
    }

    /// Sets a key that is in the table, if the value is what it takes.
    mutating func set(_ name: String, _ content: RawValue.Content, _ origin: ConfigurationOrigin) {
        guard let key = ConfigurationTable.key(name) else {
            return note(origin, ConfigurationLoader.unknown(name))
        }
        let value: ConfigurationValue?
        var shown = ""
        switch content {
        case .keys(let declarations):
            keys = (declarations, origin)
            return
        case .text(let text):
            value = key.value(of: text)
            shown = " `\(text)`"
        case .list(let texts):
            value = key.value(of: texts)
        }
        guard let value else {
            let what = key.isSecret || shown.utf8.count > 256 ? "the value" : "the value\(shown)"
            return note(origin, "\(what) of `\(name)` is not \(key.kind.allowed)")
        }
        values[name] = (value, origin)
    }

    private mutating func note(_ origin: ConfigurationOrigin?, _ message: String) {
        problems.append(ConfigurationProblem(origin, message))
    }

    /// Every key that has a value, in the order of the table.
    func effective() -> [(key: String, value: String, origin: ConfigurationOrigin)] {
        ConfigurationTable.keys.compactMap { key in
            if case .accessKeys = key.kind, let keys {
                return (key.name, "\(keys.declarations.count) access keys", keys.origin)
            }
            guard let (value, origin) = values[key.name] else { return nil }
            return (key.name, key.isSecret ? "(secret)" : key.text(of: value), origin)
        }
    }
}

extension ConfigurationKey {
    /// The value as it would be written in the file.
    func text(of value: ConfigurationValue) -> String {
        switch (value, kind) {
        case (.text(let text), _): text
        case (.address(let address), _): "\(address)"
        case (.integer(let number), .size): ValueText.size(number)
        case (.integer(let number), .duration): ValueText.duration(number)
        case (.integer(let number), _): "\(number)"
        case (.decimal(let number), _): "\(number)"
        case (.list(let entries), _): "[" + entries.joined(separator: ", ") + "]"
        }
    }
}
