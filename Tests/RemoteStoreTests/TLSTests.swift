import NIOCore
import NIOSSL
import Primitives
import RemoteStore
import Storage
import Testing
import TidegateTesting

@Suite struct TLSTests {
    typealias Answer = ScriptedServer.Answer

    /// What a deletion fails with at a server that shows a certificate; nil where it succeeds.
    private func deletion(
        at context: NIOSSLContext, _ configure: (inout TransferSettings) throws -> Void
    ) async throws -> String? {
        var settings = TransferSettings()
        try configure(&settings)
        var told: String?
        try await ScriptedServer.with(tls: context, { _ in .status(204) }) { server in
            let store = try server.store(scheme: "https") {
                $0.transfer = settings
                $0.retry.attempts = 1
            }
            let error = await failure { () throws(StorageError) in try await store.delete(someName) }
            #expect(server.requests.count == (error == nil ? 1 : 0))
            told = error.map { $0.unavailable ?? "\($0)" }
        }
        return told
    }

    @Test func trustsWhomItIsToldTo() async throws {
        try await Certificates.with { files in
            let authority = try await deletion(at: files.server()) { $0.trust = .certificates(try files.pem("ca")) }
            #expect(authority == nil)
            // The server's own certificate does as well.
            let itself = try await deletion(at: files.server()) { $0.trust = .certificates(try files.pem("server")) }
            #expect(itself == nil)
        }
    }

    @Test func trustsNobodyElse() async throws {
        try await Certificates.with { files in
            let strangers: [(inout TransferSettings) throws -> Void] = [
                { _ in }, { $0.trust = .certificates(try files.pem("other")) },
                { $0.trust = .certificates(try files.pem("elsewhere")) }, { $0.trust = .certificates("") },
                { $0.trust = .certificates("no certificate") },
            ]
            for configure in strangers {
                let told = try await deletion(at: files.server(), configure)
                #expect(told?.contains("DeleteObject: no connection") == true)
            }
            let otherHost = try await deletion(at: files.server("elsewhere")) {
                $0.trust = .certificates(try files.pem("ca"))
            }
            #expect(otherHost?.contains("no connection") == true)
        }
    }

    @Test func pinsKeysBesideTheAuthority() async throws {
        try await Certificates.with { files in
            let right = try files.keyDigest("server")
            let wrong = try files.keyDigest("ca")
            for (keys, authority, isTaken) in [
                ([right], "ca", true), ([wrong, right], "ca", true), ([wrong], "ca", false), ([right], "other", false),
            ] {
                let told = try await deletion(at: files.server()) {
                    $0.trust = .certificates(try files.pem(authority))
                    $0.pinnedKeys = keys
                }
                #expect((told == nil) == isTaken, "\(told ?? "taken")")
            }
        }
    }

    @Test func speaksNoOldVersion() async throws {
        try await Certificates.with { files in
            let told = try await deletion(at: files.server(highest: .tlsv11)) {
                $0.trust = .certificates(try files.pem("ca"))
            }
            #expect(told?.contains("no connection") == true)
        }
    }

    // MARK: Bodies that go out as they come, which need TLS

    private func write(
        _ length: Int64, _ source: sending any BodySource, onHead: @escaping ScriptedServer.HeadScript = { _ in nil },
        _ script: @escaping ScriptedServer.Script
    ) async throws -> (error: StorageError?, requests: [ScriptedServer.Request]) {
        var outcome: (StorageError?, [ScriptedServer.Request])?
        try await Certificates.with { files in
            try await ScriptedServer.with(onHead: onHead, tls: files.server(), script) { server in
                let authority = try files.pem("ca")
                let store = try server.store(scheme: "https") {
                    $0.transfer.trust = .certificates(authority)
                    $0.bufferedBytes = 1024
                }
                var failed: StorageError?
                do throws(StorageError) {
                    _ = try await store.write(someName, Body(length: length, source: source))
                } catch {
                    failed = error
                }
                // A request that was broken off is not whole, and so is no request of the server's.
                store.close()
                #expect(try await eventually { server.connections.opened == server.connections.closed })
                outcome = (failed, server.requests)
            }
        }
        return try #require(outcome)
    }

    private static let buffers = (0..<40).map { ByteBuffer(repeating: UInt8($0), count: 50_000) }
    private static let length: Int64 = 2_000_000

    @Test func sendsALongBlobAsItComes() async throws {
        let (error, requests) = try await write(Self.length, BufferedSource(Self.buffers)) { _ in .status(200) }
        #expect(error == nil)
        let request = try #require(requests.first)
        #expect(requests.count == 1)
        #expect(request.values("x-amz-content-sha256") == ["UNSIGNED-PAYLOAD"])
        #expect(request.values("content-length") == [String(Self.length)])
        #expect(request.body == Self.buffers.flatMap { Array($0.readableBytesView) })
    }

    @Test func aLongBodyThatFailsIsNotWhole() async throws {
        let failing = FailingSource(after: Self.buffers, BodyError(.checksumMismatch, "Wrong."))
        let (error, requests) = try await write(Self.length, failing) { _ in .status(200) }
        #expect(error?.source == .checksumMismatch)
        #expect(requests.isEmpty)
    }

    @Test(arguments: [(Int64(1_999_999), BodyError.Kind.tooLarge), (2_000_001, .incomplete)])
    func aLongBodyOfAnotherLengthIsNotWhole(_ announced: Int64, _ kind: BodyError.Kind) async throws {
        let (error, requests) = try await write(announced, BufferedSource(Self.buffers)) { _ in .status(200) }
        #expect(error?.source == kind)
        #expect(requests.isEmpty)
    }

    @Test func asksWhatBecameOfALongBlob() async throws {
        for (length, isThere) in [(2_000_000, true), (1_999_999, false)] {
            let (error, requests) = try await write(Self.length, BufferedSource(Self.buffers)) { request in
                request.method == "HEAD" ? Answer("HTTP/1.1 200 X\r\nContent-Length: \(length)\r\n\r\n") : .nothing
            }
            #expect((error == nil) == isThere)
            #expect(requests.map(\.method) == ["PUT", "HEAD"])
        }
    }

    @Test func aRefusalOfALongBlobIsNotRepeated() async throws {
        let (error, requests) = try await write(Self.length, BufferedSource(Self.buffers)) { _ in
            .error(503, "SlowDown")
        }
        #expect(error?.unavailable?.contains("PutObject: status 503 SlowDown") == true)
        #expect(requests.count == 1)
    }
}
