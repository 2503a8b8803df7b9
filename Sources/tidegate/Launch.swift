import ArgumentParser
import Configuration
import Foundation
import Logging
import Primitives

/// What every command that works on a deployment begins with: configuration and logging. To make one changes nothing on
/// the disk.
struct Launch {
    let configuration: TidegateConfiguration
    let logger: Logger
    let environment: SystemEnvironment

    /// - Throws: `ExitCode` after saying on standard error what is wrong.
    init(_ options: ConfigurationOptions) throws {
        let loaded = try options.load()
        configuration = loaded.configuration
        environment = SystemEnvironment()
        let (level, format) = (Logger.Level(rawValue: configuration.log.level) ?? .info, configuration.log.format)
        LoggingSystem.bootstrap { StructuredLogHandler(label: $0, level: level, format: format) }
        logger = Logger(label: "tidegate")
        for warning in loaded.warnings { logger.warning("\(warning)") }
        #if PLANTED_BUGS
            try plantBug()
        #endif
    }

    #if PLANTED_BUGS
        /// Plants the bug that a test of a debug build wants to see found.
        private func plantBug() throws {
            guard let name = ProcessInfo.processInfo.environment[PlantedBug.variable] else { return }
            guard let bug = PlantedBug(rawValue: name) else {
                logger.critical("there is no such bug to plant", metadata: ["name": "\(name)"])
                throw ExitCode.failure
            }
            PlantedBug.plant(bug)
            logger.critical("a bug is planted: nothing is safe with this process", metadata: ["bug": "\(name)"])
        }
    #endif

    /// Makes the data directory where there is none.
    func makeDataDirectory() throws(StartError) {
        do {
            try FileManager.default.createDirectory(
                atPath: configuration.data, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw StartError("The data directory \(configuration.data) cannot be made.")
        }
    }

    /// The root key of a gateway that was started on this data before.
    func existingRootKey() throws(StartError) -> RootKey {
        if let root = configuration.root { return root }
        return try StartError.translated("The root key") { () throws(PrivateFileError) in
            try RootCredentials.load(from: configuration.data).key
        }
    }

    /// The configured root key, or the one of this data directory, which is drawn where there is none. For `serve`
    /// alone: a command that lets nobody in needs no key, and must not leave one that somebody takes for the real one.
    /// `serve` itself asks for it once it holds the index, for the same reason.
    func rootKey() throws(StartError) -> RootKey {
        if let root = configuration.root { return root }
        do {
            let credentials = try RootCredentials.loadOrCreate(in: configuration.data, environment: environment)
            if credentials.isNew {
                // To standard output alone and never into the log, and only this once. Not by `print`, which keeps
                // lines back until the process ends where that is a pipe or a file.
                let lines = [
                    "A root key was drawn. It is shown once and kept in \(credentials.path):",
                    "  access key: \(credentials.key.accessKey)",
                    "  secret key: \(credentials.key.secretKey.reveal())",
                ]
                try FileHandle.standardOutput.write(contentsOf: Data(lines.map { $0 + "\n" }.joined().utf8))
            }
            return credentials.key
        } catch {
            throw StartError("\(error)")
        }
    }
}
