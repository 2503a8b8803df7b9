import Foundation
import NIOSSL
import Primitives
import Testing

/// Certificates made for a test by the openssl command, in a folder that is removed with it: an authority `ca`, a
/// `server` for 127.0.0.1 that it signed, an `elsewhere` for another host, and another authority `other`.
struct Certificates: Sendable {
    private let folder: String

    static func with(_ use: (Certificates) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/tidegate-remote-\(SystemEnvironment().random())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer {
            // What is left is in the system's folder for such things.
            try? FileManager.default.removeItem(atPath: folder)
        }
        let certificates = Certificates(folder: folder)
        try certificates.make("ca", "basicConstraints=critical,CA:TRUE")
        try certificates.make("other", "basicConstraints=critical,CA:TRUE")
        try certificates.make("server", "subjectAltName=IP:127.0.0.1", signedBy: "ca")
        try certificates.make("elsewhere", "subjectAltName=DNS:elsewhere.example", signedBy: "ca")
        try await use(certificates)
    }

    /// The certificate in PEM.
    func pem(_ name: String) throws -> String { try String(contentsOfFile: path("\(name).pem"), encoding: .utf8) }

    /// The SHA-256 of the certificate's public key.
    func keyDigest(_ name: String) throws -> [UInt8] {
        let script = "openssl x509 -in '\(path("\(name).pem"))' -pubkey -noout | openssl pkey -pubin -outform der "
        try run("sh", ["-c", script + "| openssl dgst -sha256 -binary -out '\(path("digest"))'"])
        return Array(try Data(contentsOf: URL(fileURLWithPath: path("digest"))))
    }

    /// What a server shows.
    func server(_ name: String = "server", highest: TLSVersion? = nil) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(path("\(name).pem")).map {
            NIOSSLCertificateSource.certificate($0)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain,
            privateKey: .privateKey(try NIOSSLPrivateKey(file: path("\(name).key"), format: .pem)))
        configuration.minimumTLSVersion = .tlsv1
        configuration.maximumTLSVersion = highest
        return try NIOSSLContext(configuration: configuration)
    }

    private func path(_ name: String) -> String { "\(folder)/\(name)" }

    private func make(_ name: String, _ extensions: String, signedBy authority: String? = nil) throws {
        var arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=\(name)", "-keyout", path("\(name).key"), "-out", path("\(name).pem"), "-addext", extensions,
        ]
        if let authority { arguments += ["-CA", path("\(authority).pem"), "-CAkey", path("\(authority).key")] }
        try run("openssl", arguments)
    }

    private func run(_ program: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(program) failed")
    }
}
