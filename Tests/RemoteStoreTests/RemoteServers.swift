import Foundation
import Primitives
import RemoteStore
import Signing
import Storage
import Testing

/// The real servers that the environment names; `Tests/Remote/run` starts some and names them.
enum RemoteServers {
    /// What a run needs: `NAME=URL …`, and where they differ from the runner's, the others. A name that ends
    /// with `-h2` is a server to which HTTP/2 is offered.
    private static let variables = ProcessInfo.processInfo.environment
    static let endpoints: [String] = (variables["TIDEGATE_TEST_S3_ENDPOINTS"] ?? "").split(separator: " ").map(
        String.init)

    static let missing: Comment =
        "No server is named: Tests/Remote/run starts some, or set TIDEGATE_TEST_S3_ENDPOINTS to NAME=URL"

    static func credentials() throws -> SigningCredentials {
        SigningCredentials(
            accessKeyID: try #require(variables["TIDEGATE_TEST_S3_ACCESS_KEY"]),
            secret: SecretKey(try #require(variables["TIDEGATE_TEST_S3_SECRET_KEY"])))
    }

    /// How a server is reached, below a prefix of its own.
    static func connection(_ named: String) throws -> Connection {
        let parts = named.split(separator: "=", maxSplits: 1).map(String.init)
        let endpoint = try RemoteEndpoint(
            url: try #require(parts.last), bucket: variables["TIDEGATE_TEST_S3_BUCKET"] ?? "bench",
            prefix: "laws/\(SystemEnvironment().random())",
            region: variables["TIDEGATE_TEST_S3_REGION"] ?? "us-east-1")
        var settings = RemoteStoreSettings()
        if let authority = variables["TIDEGATE_TEST_S3_CA"] {
            settings.transfer.trust = .certificates(try String(contentsOfFile: authority, encoding: .utf8))
        }
        settings.transfer.offersHTTP2 = parts[0].hasSuffix("-h2")
        return Connection(name: parts[0], endpoint: endpoint, credentials: try credentials(), settings: settings)
    }

    struct Connection {
        let name: String
        let endpoint: RemoteEndpoint
        let credentials: SigningCredentials
        var settings: RemoteStoreSettings
    }

    /// Lends a store below a prefix of its own, and removes what is left in it.
    static func withStore(
        _ named: String, _ configure: (inout RemoteStoreSettings) -> Void = { _ in },
        use: (RemoteStore) async throws -> Void
    ) async throws {
        var connection = try connection(named)
        configure(&connection.settings)
        let store = try RemoteStore(
            name: connection.name, endpoint: connection.endpoint, credentials: connection.credentials,
            settings: connection.settings, environment: SystemEnvironment())
        try await use(store)
        for blob in try await store.blobs(after: nil, limit: 10_000) { try await store.delete(blob.name) }
        store.close()
    }
}
