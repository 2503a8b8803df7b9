/// Where a value comes from.
package enum ConfigurationOrigin: Sendable, Hashable, CustomStringConvertible {
    case builtIn
    case file(name: String, line: Int)
    case environment(variable: String)
    /// `--set KEY=VALUE`
    case setting(String)
    /// A flag of its own, as `--listen`.
    case flag(String)

    package var description: String {
        switch self {
        case .builtIn: "default"
        case .file(let name, let line): "\(name):\(line)"
        case .environment(let variable): variable
        case .setting(let text): "--set \(text)"
        case .flag(let name): name
        }
    }
}

/// One thing that is wrong with a configuration, and where. It never carries a secret.
package struct ConfigurationProblem: Sendable, Hashable, CustomStringConvertible {
    package var origin: ConfigurationOrigin?
    /// What is wrong and what is allowed.
    package var message: String

    package init(_ origin: ConfigurationOrigin?, _ message: String) {
        (self.origin, self.message) = (origin, message)
    }

    package var description: String { origin.map { "\($0): \(message)" } ?? message }
}

/// Why there is no configuration: everything that is wrong with it, so that it need not be mended one start at a time.
package struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    package var problems: [ConfigurationProblem]

    package init(_ problems: [ConfigurationProblem]) {
        self.problems = problems
    }

    /// One line for each problem.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
