import ArgumentParser
import Configuration
import Foundation

/// The options of every command that needs the configuration.
struct ConfigurationOptions: ParsableArguments {
    @Option(name: .long, help: "The YAML file with the configuration.")
    var config: String?

    @Option(name: .long, help: "The directory that holds what this gateway keeps. (data)")
    var data: String?

    @Option(name: .long, help: ArgumentHelp("Where S3 is served. (listen)", valueName: "host:port"))
    var listen: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Where metrics and health are served. (admin.listen)", valueName: "host:port"))
    var admin: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A domain under which buckets are addressed as BUCKET.DOMAIN; may be repeated. (domains)",
            valueName: "domain"))
    var domain: [String] = []

    @Option(name: .long, help: ArgumentHelp("Set any key; may be repeated.", valueName: "key=value"))
    var set: [String] = []

    /// Reads the configuration from all its sources.
    ///
    /// - Throws: `ExitCode` after printing everything that is wrong to standard error.
    func load() throws -> LoadedConfiguration {
        var sources = ConfigurationSources(environment: ProcessInfo.processInfo.environment, settings: set)
        if let config { try sources.readFile(config) }
        let flags = [("--data", "data", data), ("--listen", "listen", listen), ("--admin", "admin.listen", admin)]
        for case (let flag, let key, let value?) in flags { sources.flags.append((flag, key, value)) }
        if !domain.isEmpty { sources.flags.append(("--domain", "domains", domain.joined(separator: ","))) }
        return try Self.load(sources)
    }

    /// - Throws: `ExitCode` after printing everything that is wrong to standard error.
    static func load(_ sources: ConfigurationSources) throws -> LoadedConfiguration {
        do {
            return try ConfigurationLoader.load(sources)
        } catch {
            StandardError.write("The configuration is not usable:\n")
            for problem in error.problems { StandardError.write("  \(problem)\n") }
            throw ExitCode.configuration
        }
    }
}

extension ConfigurationSources {
    /// Takes a file as the configuration's.
    ///
    /// - Throws: `ExitCode` after saying on standard error why it cannot be read.
    mutating func readFile(_ path: String) throws {
        do throws(PrivateFileError) {
            let (bytes, exposure) = try PrivateFile.readOpenly(path, atMost: Self.mostFileBytes)
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw PrivateFileError("`\(path)` is not UTF-8")
            }
            (file, fileExposure) = ((path, text), exposure)
        } catch {
            StandardError.write("The configuration file cannot be used: \(error).\n")
            throw ExitCode.configuration
        }
    }
}

extension ExitCode {
    /// `EX_CONFIG` of sysexits.
    static let configuration = ExitCode(78)
}
