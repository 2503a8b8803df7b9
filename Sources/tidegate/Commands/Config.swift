import ArgumentParser
import Configuration

/// `tidegate config`
struct Config: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Explain, check or print the configuration.",
        discussion: "Exactly one of --explain, --check and --print is wanted. Secrets are never printed.")

    @Flag(name: .long, help: "Print a complete, commented configuration file.")
    var explain = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Check a configuration file alone, and the policies, certificates and stores that it names.",
            valueName: "file"))
    var check: String?

    @Flag(name: .long, help: "Print the configuration that holds here, and where each value comes from.")
    var print = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func validate() throws {
        guard [explain, check != nil, self.print].filter({ $0 }).count == 1 else {
            throw ValidationError("Give exactly one of --explain, --check FILE and --print.")
        }
    }

    func run() async throws {
        if explain {
            Swift.print(ConfigurationExplanation.yaml(), terminator: "")
        } else if let check {
            var sources = ConfigurationSources()
            try sources.readFile(check)
            let problems = await ServeCheck(try ConfigurationOptions.load(sources).configuration).problems()
            guard problems.isEmpty else {
                StandardError.write("\(check) cannot be served with:\n")
                for problem in problems { StandardError.write("  \(problem)\n") }
                throw ExitCode.configuration
            }
            Swift.print("\(check) is a usable configuration.")
        } else {
            let loaded = try options.load()
            for warning in loaded.warnings { StandardError.write("\(warning)\n") }
            for entry in loaded.effective { Swift.print("\(entry.key): \(entry.value)  # \(entry.origin)") }
        }
    }
}
