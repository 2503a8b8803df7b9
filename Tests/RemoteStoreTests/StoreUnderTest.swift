import NIOCore
import Primitives
import RemoteStore
import Signing
import Storage
import Synchronization
import TidegateTesting

extension ScriptedServer {
    static let secret = "remote-secret-key-that-must-not-be-told"

    /// A store in the bucket `bucket` of this server, below `pool/`. Pauses take no time but that of the environment.
    func store(
        scheme: String = "http", environment: any Environment = SimulatedEnvironment(sleeping: .skipping),
        _ configure: (inout RemoteStoreSettings) -> Void = { _ in }
    ) throws -> RemoteStore {
        var settings = RemoteStoreSettings()
        configure(&settings)
        let endpoint = try RemoteEndpoint(url: "\(scheme)://127.0.0.1:\(port)", bucket: "bucket", prefix: "pool")
        let credentials = SigningCredentials(accessKeyID: "REMOTEACCESSKEY", secret: SecretKey(Self.secret))
        return try RemoteStore(
            name: "backend-7", endpoint: endpoint, credentials: credentials, settings: settings,
            environment: environment)
    }
}

extension ScriptedServer.Answer {
    /// An error as S3 writes it.
    static func error(_ status: Int, _ code: String, _ fields: [String] = []) -> ScriptedServer.Answer {
        .status(
            status, fields,
            "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>m</Message><RequestId>R1</RequestId></Error>")
    }

    /// A part of an object.
    static func part(_ range: String, _ body: String, _ fields: [String] = []) -> ScriptedServer.Answer {
        .status(206, ["Content-Range: bytes \(range)"] + fields, body)
    }
}

/// Counts calls, from 1.
final class Counter: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}

/// A name for a test's only blob.
let someName = BlobName(epoch: 3, counter: 5, random: 7)

/// What a call of a store failed with; nil where it did not.
func failure(_ call: () async throws(StorageError) -> Void) async -> StorageError? {
    do throws(StorageError) {
        try await call()
        return nil
    } catch {
        return error
    }
}

extension StorageError {
    var isNotFound: Bool { if case .notFound = self { true } else { false } }
    var isInvalidRange: Bool { if case .invalidRange = self { true } else { false } }
    var isFull: Bool { if case .full = self { true } else { false } }
    /// What it says where the store is to blame; nil for any other error.
    var unavailable: String? { if case .unavailable(let detail) = self { detail } else { nil } }
    /// The kind of the body's failure; nil where the source is not to blame.
    var source: BodyError.Kind? { if case .source(let error) = self { error.kind } else { nil } }
    var sink: BodyError.Kind? { if case .sink(let error) = self { error.kind } else { nil } }
}
