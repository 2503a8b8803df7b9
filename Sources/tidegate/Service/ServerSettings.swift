import Configuration
import Logging
import Server

/// What the fronts are told, made from the configuration.
enum ServerSettings {
    /// The S3 port.
    static func front(_ configuration: TidegateConfiguration, _ budget: DescriptorBudget) -> ServerConfiguration {
        var server = ServerConfiguration(host: configuration.listen.host, port: configuration.listen.port)
        let limits = configuration.limits
        server.limits.connections = budget.connections
        server.limits.connectionsPerAddress = limits.connectionsPerAddress
        server.limits.requestsInFlight = budget.requests
        server.limits.requestsPerAddress = limits.requestsPerAddress
        server.limits.headerBytes = limits.headerBytes
        server.limits.headerCount = limits.headerCount
        server.limits.requestLineBytes = limits.requestLineBytes
        server.timeouts.idle = limits.idleTimeout
        server.timeouts.head = limits.headTimeout
        server.timeouts.progress = limits.bodyTimeout
        server.tls = tls(configuration)
        return server
    }

    /// The files of TLS; nil for plain HTTP.
    static func tls(_ configuration: TidegateConfiguration) -> TLSSettings? {
        configuration.tls.map { tls in
            TLSSettings(
                certificateChainFile: tls.certificate, privateKeyFile: tls.key,
                clientAuthorityFile: tls.clientAuthority, clientCertificates: mode(tls.clientMode))
        }
    }

    /// What the limit of open files leaves of the configured limits.
    ///
    /// - Throws: `StartError` where that is too little to serve.
    static func budget(
        _ configuration: TidegateConfiguration, openFiles: Int?, logger: Logger
    ) throws(StartError) -> DescriptorBudget {
        let (limits, pool) = (configuration.limits, configuration.pool)
        let budget = DescriptorBudget(
            connections: limits.connections, requests: limits.requestsInFlight,
            shards: pool.dataShards + pool.parityShards, available: openFiles ?? .max)
        guard let budget else {
            throw StartError(
                "The process may have only \(openFiles ?? 0) files open, too few to serve. Raise its limit: "
                    + "`ulimit -Hn`, LimitNOFILE= of systemd, or ulimits.nofile of Docker Compose.")
        }
        if budget.connections < limits.connections || budget.requests < limits.requestsInFlight {
            logger.warning(
                "fewer connections and requests are taken than configured, since the process may have few files open",
                metadata: [
                    "open-files": .count(openFiles ?? 0), "limits.connections": .count(budget.connections),
                    "limits.requests-in-flight": .count(budget.requests),
                ])
        }
        return budget
    }

    private static func mode(_ mode: TidegateConfiguration.ClientMode) -> TLSSettings.ClientCertificates {
        switch mode {
        case .none: .none
        case .optional: .optional
        case .required: .required
        }
    }

    /// The admin port: few connections, and one thread.
    static func admin(_ configuration: TidegateConfiguration) -> ServerConfiguration {
        let listen = configuration.admin.listen
        var server = ServerConfiguration(host: listen.host, port: listen.port)
        server.threads = 1
        server.limits.connections = 64
        server.limits.requestsInFlight = 16
        return server
    }
}
