import ArgumentParser

/// The executable: reads the configuration, connects the parts, runs them and stops them.
@main
struct Tidegate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tidegate",
        abstract: "An S3 endpoint over erasure-coded stores, with an audit log that nobody can quietly change.",
        discussion: """
            Every key of the configuration can be given in a file (--config), in the environment (TIDEGATE_…) and with \
            --set KEY=VALUE; the later wins. `tidegate config --explain` tells them all.
            """,
        version: Version.text,
        subcommands: [
            Serve.self, Scrub.self, Collect.self, Recover.self, RecoveryKeyCommand.self, ExportManifest.self,
            Backend.self, DurabilityCommand.self, Config.self, Audit.self, Version.self,
        ])
}
