import NIOPosix
import NIOSSL
import Synchronization

/// The certificates in use: read at the start, and again on demand. Connections keep those that they began with.
final class TLSContexts: Sendable {
    let settings: TLSSettings
    private let context: Mutex<NIOSSLContext>

    /// Reads the files.
    ///
    /// - Throws: `ServerError` of kind `certificates`.
    init(_ settings: TLSSettings) async throws(ServerError) {
        self.settings = settings
        context = Mutex(try await Self.load(settings))
    }

    /// The context for a new connection.
    var current: NIOSSLContext { context.withLock { $0 } }

    /// Reads the files again. The certificates in use stay where that fails.
    ///
    /// - Throws: As `init`.
    func reload() async throws(ServerError) {
        let fresh = try await Self.load(settings)
        context.withLock { $0 = fresh }
    }

    /// Reads files and parses keys, which may block: on a thread made for that.
    private static func load(_ settings: TLSSettings) async throws(ServerError) -> NIOSSLContext {
        do {
            return try await NIOThreadPool.singleton.runIfActive { try make(settings) }
        } catch let error as ServerError {
            throw error
        } catch {
            throw ServerError(
                .certificates,
                "The certificate \(settings.certificateChainFile) with the key \(settings.privateKeyFile) "
                    + "cannot be used: \(error)"
            )
        }
    }

    private static func make(_ settings: TLSSettings) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(settings.certificateChainFile)
        guard !chain.isEmpty else {
            throw ServerError(.certificates, "\(settings.certificateChainFile) holds no certificate.")
        }
        let key = try NIOSSLPrivateKey(file: settings.privateKeyFile, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        configuration.certificateVerification =
            switch settings.clientCertificates {
            case .none: .none
            case .optional: .optionalVerification
            case .required: .noHostnameVerification
            }
        if settings.clientCertificates != .none {
            // Never the system's authorities: any certificate of the web would then name a client.
            guard let file = settings.clientAuthorityFile else {
                throw ServerError(
                    .certificates, "Client certificates need a file of authorities to be verified against.")
            }
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(file))
        }
        return try NIOSSLContext(configuration: configuration)
    }
}
