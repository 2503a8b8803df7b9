import ArgumentParser

/// `tidegate serve`
///
/// Its `run()` stands with the assembly of the parts.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve S3.",
        discussion: """
            With nothing configured, S3 is served on 127.0.0.1:9000, metrics and health on 127.0.0.1:9001, and \
            everything is kept under the data directory. The root key comes from TIDEGATE_ROOT_ACCESS_KEY and \
            TIDEGATE_ROOT_SECRET_KEY, from the file, or is drawn at the first start and printed once.

            SIGTERM and SIGINT finish the requests in flight before the process ends; SIGHUP reads the TLS files again.
            """)

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions
}
