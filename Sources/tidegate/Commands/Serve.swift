import ArgumentParser
import Configuration
import Logging
import Server

/// `tidegate serve`
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve S3.",
        discussion: """
            With nothing configured, S3 is served on 127.0.0.1:9000, metrics and health on 127.0.0.1:9001, and \
            everything is kept under the data directory. The root key comes from TIDEGATE_ROOT_ACCESS_KEY and \
            TIDEGATE_ROOT_SECRET_KEY, from the file, or is drawn at the first start and printed once.

            The process's memory is kept out of core dumps. A backtrace of Swift's own shows some of it: set \
            SWIFT_BACKTRACE=enable=no where standard error is kept.

            SIGTERM and SIGINT finish the requests in flight before the process ends; SIGHUP reads the TLS \
            files again.
            """)

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions
}

extension Serve {
    func run() async throws {
        let isBounded = ProcessMemory.boundHeaps()
        let signals = ProcessSignals.stream()
        let isHidden = ProcessMemory.forbidDumps()
        let launch = try Launch(options)
        if !isHidden { launch.logger.warning("the system does not keep the process's memory from being dumped") }
        if !isBounded { launch.logger.warning("the C library does not bound the heaps of the process") }
        let service: Service
        do throws(StartError) {
            try launch.makeDataDirectory()
            service = try await Service.start(launch)
        } catch {
            StandardError.write("\(error)\n")
            throw ExitCode.failure
        }
        let scheme = launch.configuration.tls == nil ? "http" : "https"
        let (listen, admin) = (launch.configuration.listen, launch.configuration.admin.listen)
        launch.logger.notice(
            "serving S3",
            metadata: [
                "s3": "\(scheme)://\(ListenAddress(host: listen.host, port: service.server.boundPort))",
                "admin": "http://\(ListenAddress(host: admin.host, port: service.admin.boundPort))",
                "data": "\(launch.configuration.data)",
            ])
        await service.run(signals)
    }
}
