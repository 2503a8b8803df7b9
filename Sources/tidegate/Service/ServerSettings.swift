import Configuration
import Server

/// What the fronts are told, made from the configuration.
enum ServerSettings {
    /// The S3 port.
    static func front(_ configuration: TidegateConfiguration) -> ServerConfiguration {
        var server = ServerConfiguration(host: configuration.listen.host, port: configuration.listen.port)
        let limits = configuration.limits
        server.limits.connections = limits.connections
        server.limits.requestsInFlight = limits.requestsInFlight
        server.limits.headerBytes = limits.headerBytes
        server.limits.headerCount = limits.headerCount
        server.limits.requestLineBytes = limits.requestLineBytes
        server.timeouts.idle = limits.idleTimeout
        server.timeouts.head = limits.headTimeout
        server.timeouts.progress = limits.bodyTimeout
        server.tls = configuration.tls.map { tls in
            TLSSettings(
                certificateChainFile: tls.certificate, privateKeyFile: tls.key,
                clientAuthorityFile: tls.clientAuthority, clientCertificates: mode(tls.clientMode))
        }
        return server
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
