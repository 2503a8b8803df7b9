import NIOCore
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
        let chain = try certificates(of: settings.certificateChainFile)
        let key = try privateKey(of: settings)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        // Of version 1.2 what version 1.3 has left: keys of one connection alone, and ciphers that authenticate.
        configuration.cipherSuites = "ECDHE+AESGCM:ECDHE+CHACHA20"
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
            configuration.trustRoots = .certificates(try certificates(of: file))
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch NIOSSLError.failedToLoadPrivateKey {
            // It was read above: what the context adds is the comparison with the certificate.
            throw ServerError(
                .certificates,
                "The key in \(settings.privateKeyFile) is not that of the first certificate in "
                    + "\(settings.certificateChainFile).")
        }
    }

    private static func certificates(of file: String) throws -> [NIOSSLCertificate] {
        do {
            return try NIOSSLCertificate.fromPEMFile(file)
        } catch NIOSSLError.failedToLoadCertificate {
            throw ServerError(.certificates, "\(file) cannot be read, or holds no certificate in PEM form.")
        }
    }

    private static func privateKey(of settings: TLSSettings) throws -> NIOSSLPrivateKey {
        let file = settings.privateKeyFile
        do {
            return try NIOSSLPrivateKey(file: file, format: .pem)
        } catch NIOSSLError.failedToLoadPrivateKey {
            throw ServerError(.certificates, "\(file) holds no private key in PEM form that is not encrypted.")
        } catch let error as IOError {
            throw ServerError(.certificates, "\(file) cannot be read (\(error)).")
        }
    }
}
