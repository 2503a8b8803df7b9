import Foundation
import NIOCore
import NIOSSL
import Primitives
import Server
import Synchronization
import Testing

/// Text of a small file.
func readFile(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
}

/// Certificates made for a test by the openssl command, in a folder that is removed with it.
private struct Certificates {
    let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/tidegate-tls-\(SystemEnvironment().random())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    func remove() throws { try FileManager.default.removeItem(atPath: folder) }
    func path(_ name: String) -> String { folder + "/" + name }

    /// Writes `<name>.pem` and `<name>.key`, signed by itself or by an authority made before.
    func make(_ name: String, subject: String, signedBy authority: String? = nil) throws {
        var arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=\(subject)", "-keyout", path(name + ".key"), "-out", path(name + ".pem"),
        ]
        if let authority { arguments += ["-CA", path(authority + ".pem"), "-CAkey", path(authority + ".key")] }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "openssl failed")
    }

    func client(
        trusting authority: String, certificate: String? = nil, highest: TLSVersion? = nil, suites: String? = nil
    ) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let suites { configuration.cipherSuites = suites }
        configuration.trustRoots = .file(path(authority + ".pem"))
        configuration.certificateVerification = .noHostnameVerification
        configuration.maximumTLSVersion = highest
        configuration.minimumTLSVersion = .tlsv1
        if let certificate {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(path(certificate + ".pem")).map {
                .certificate($0)
            }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: path(certificate + ".key"), format: .pem))
        }
        return try NIOSSLContext(configuration: configuration)
    }
}

private func withCertificates(_ test: (Certificates) async throws -> Void) async throws {
    let certificates = try Certificates()
    do {
        try await test(certificates)
    } catch {
        try certificates.remove()
        throw error
    }
    try certificates.remove()
}

@Suite struct TLSTests {
    @Test(arguments: [TLSVersion.tlsv12, .tlsv13]) func servesOverTLS(_ version: TLSVersion) async throws {
        try await withCertificates { files in
            try files.make("a", subject: "a")
            try await withServer {
                $0.tls = TLSSettings(certificateChainFile: files.path("a.pem"), privateKeyFile: files.path("a.key"))
            } handler: { request, body, response in
                #expect(request.isSecure)
                #expect(request.tlsVersion == (version == .tlsv12 ? "1.2" : "1.3"))
                #expect(request.clientCertificate == nil)
                try await echo(request, body, response)
            } test: { server, _ in
                let client = try await RawClient.connect(
                    server.boundPort, tls: files.client(trusting: "a", highest: version))
                let total = 4 << 20
                try await client.send("PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: \(total)\r\n\r\n")
                try await client.send(ByteBuffer(repeating: 1, count: total))
                try await client.wait(for: "the echo") { $0.count > total }
                try await client.send("GET /b HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
                let all = try await client.waitForEnd()
                #expect(all.suffix(200).contains("HTTP/1.1 200 OK"))
                #expect(all.utf8.count > total)
                try await client.close()
            }
        }
    }

    @Test func refusesOlderVersionsAndWhatIsNotTLS() async throws {
        try await withCertificates { files in
            try files.make("a", subject: "a")
            try await withServer {
                $0.tls = TLSSettings(certificateChainFile: files.path("a.pem"), privateKeyFile: files.path("a.key"))
                $0.timeouts.handshake = .milliseconds(200)
            } handler: { request, body, response in
                try await describe(request, body, response)
            } test: { server, log in
                let old = try await RawClient.connect(
                    server.boundPort, tls: files.client(trusting: "a", highest: .tlsv11))
                try await old.waitForEnd()
                let plain = try await RawClient.connect(server.boundPort)
                try await plain.send("GET /a HTTP/1.1\r\nhost: h\r\n\r\n")
                try await plain.waitForEnd()
                let silent = try await RawClient.connect(server.boundPort)
                try await silent.waitForEnd()
                #expect(log.all.isEmpty)
                try await eventually("all three are counted") { server.counters.refused[.handshake] == 3 }
            }
        }
    }

    @Test func takesNewCertificatesForNewConnections() async throws {
        try await withCertificates { files in
            try files.make("a", subject: "a")
            try files.make("b", subject: "b")
            try FileManager.default.copyItem(atPath: files.path("a.pem"), toPath: files.path("s.pem"))
            try FileManager.default.copyItem(atPath: files.path("a.key"), toPath: files.path("s.key"))
            try await withServer {
                $0.tls = TLSSettings(certificateChainFile: files.path("s.pem"), privateKeyFile: files.path("s.key"))
            } handler: { request, body, response in
                try await describe(request, body, response)
            } test: { server, _ in
                let old = try await RawClient.connect(server.boundPort, tls: files.client(trusting: "a"))
                try await old.send("GET /1 HTTP/1.1\r\nhost: h\r\n\r\n")
                try await old.wait(for: "</1 0>")
                // A certificate without its key changes nothing.
                try FileManager.default.removeItem(atPath: files.path("s.pem"))
                try FileManager.default.copyItem(atPath: files.path("b.pem"), toPath: files.path("s.pem"))
                await #expect(throws: ServerError.self) { try await server.reloadTLS() }
                try FileManager.default.removeItem(atPath: files.path("s.key"))
                try FileManager.default.copyItem(atPath: files.path("b.key"), toPath: files.path("s.key"))
                try await server.reloadTLS()
                let new = try await RawClient.connect(server.boundPort, tls: files.client(trusting: "b"))
                try await new.send("GET /2 HTTP/1.1\r\nhost: h\r\n\r\n")
                try await new.wait(for: "</2 0>")
                try await old.send("GET /3 HTTP/1.1\r\nhost: h\r\n\r\n")
                try await old.wait(for: "</3 0>")
                try await old.close()
                try await new.close()
            }
        }
    }

    @Test(arguments: [TLSSettings.ClientCertificates.optional, .required])
    func verifiesClientCertificates(_ mode: TLSSettings.ClientCertificates) async throws {
        try await withCertificates { files in
            try files.make("server", subject: "s")
            try files.make("authority", subject: "authority")
            try files.make("client", subject: "client", signedBy: "authority")
            try files.make("stranger", subject: "client")
            let expected = try NIOSSLCertificate.fromPEMFile(files.path("client.pem"))[0].toDERBytes()
            try await withServer {
                $0.tls = TLSSettings(
                    certificateChainFile: files.path("server.pem"), privateKeyFile: files.path("server.key"),
                    clientAuthorityFile: files.path("authority.pem"), clientCertificates: mode)
            } handler: { request, body, response in
                let who = request.clientCertificate == expected ? "client" : "nobody"
                try await response.send(ResponseHead(status: 200), ByteBuffer(string: "<\(who)>"))
            } test: { server, log in
                func answer(_ certificate: String?) async throws -> String {
                    let client = try await RawClient.connect(
                        server.boundPort, tls: files.client(trusting: "server", certificate: certificate))
                    client.channel.writeAndFlush(
                        ByteBuffer(string: "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"), promise: nil)
                    return try await client.waitForEnd()
                }
                #expect(try await answer("client").hasSuffix("<client>"))
                #expect(try await answer("stranger") == "")
                let anonymous = try await answer(nil)
                #expect(mode == .optional ? anonymous.hasSuffix("<nobody>") : anonymous == "")
                try await eventually("the handlers end: \(log.all)") { log.all.count >= (mode == .optional ? 4 : 2) }
                #expect(log.all.count == (mode == .optional ? 4 : 2))
            }
        }
    }

    /// Suites without ephemeral keys, or whose ciphers do not authenticate, are not offered: BEAST, Lucky 13, ROBOT.
    @Test(arguments: [
        ("ECDHE-ECDSA-AES128-GCM-SHA256", true), ("ECDHE-ECDSA-AES256-GCM-SHA384", true),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", true), ("ECDHE-ECDSA-AES128-SHA", false), ("ECDHE-ECDSA-AES256-SHA", false),
        ("AES128-GCM-SHA256", false), ("AES128-SHA", false),
    ])
    func offersOnlyEphemeralKeysAndAuthenticatedCiphers(_ suite: String, _ isOffered: Bool) async throws {
        try await withCertificates { files in
            try files.make("a", subject: "a")
            try await withServer {
                $0.tls = TLSSettings(certificateChainFile: files.path("a.pem"), privateKeyFile: files.path("a.key"))
            } handler: { request, body, response in
                try await response.send(ResponseHead(status: 200), ByteBuffer(string: "<here>"))
            } test: { server, _ in
                let client = try await RawClient.connect(
                    server.boundPort, tls: files.client(trusting: "a", highest: .tlsv12, suites: suite))
                client.channel.writeAndFlush(
                    ByteBuffer(string: "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"), promise: nil)
                #expect(try await client.waitForEnd().hasSuffix("<here>") == isOffered)
            }
        }
    }

    @Test func tellsOfHTTPThatComesToItsPort() async throws {
        try await withCertificates { files in
            try files.make("a", subject: "a")
            let told = Mutex<[String]>([])
            try await withServer {
                $0.tls = TLSSettings(certificateChainFile: files.path("a.pem"), privateKeyFile: files.path("a.key"))
                $0.onRefusal = { reason, peer, detail in
                    told.withLock { $0.append("\(reason.rawValue) \(peer) \(detail ?? "")") }
                }
            } handler: { request, body, response in
                try await describe(request, body, response)
            } test: { server, _ in
                let plain = try await RawClient.connect(server.boundPort)
                try await plain.send("GET /a HTTP/1.1\r\nhost: h\r\n\r\n")
                try await plain.waitForEnd()
                try await eventually("it is told") { told.withLock { !$0.isEmpty } }
                #expect(told.withLock { $0 } == ["handshake 127.0.0.1 plain HTTP came to a port for TLS"])
            }
        }
    }

    @Test func startsOnlyWithCertificatesThatFit() async throws {
        try await withCertificates { files in
            try files.make("a", subject: "a")
            try files.make("b", subject: "b")
            var settings = [
                TLSSettings(certificateChainFile: files.path("a.pem"), privateKeyFile: files.path("b.key")),
                TLSSettings(certificateChainFile: files.path("none.pem"), privateKeyFile: files.path("a.key")),
            ]
            settings.append(
                TLSSettings(
                    certificateChainFile: files.path("a.pem"), privateKeyFile: files.path("a.key"),
                    clientCertificates: .required))
            for tls in settings {
                var configuration = ServerConfiguration()
                configuration.tls = tls
                let handler = FunctionHandler(function: describe, log: HandlerLog())
                await #expect(throws: ServerError.self) {
                    _ = try await Server.start(configuration, handler: handler, environment: SystemEnvironment())
                }
                await #expect(throws: ServerError.self) { try await Server.check(tls) }
            }
            let mismatch = await #expect(throws: ServerError.self) { try await Server.check(settings[0]) }
            let sentence =
                "The key in \(files.path("b.key")) is not that of the first certificate in \(files.path("a.pem"))."
            #expect(mismatch?.description == sentence)
        }
    }
}
