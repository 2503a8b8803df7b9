import Audit
import Cryptography
import Erasure
import Gateway
import Identity
import Metadata
import NIOCore
import Policy
import Pools
import Primitives
import Signing
import Simulation
import Storage
import Synchronization
import Testing
import TidegateTesting
import Workers

/// A whole gateway in this process: its index and stores in memory, its clock and its chance a seed's.
struct GatewayHarness: Sendable {
    static let region = "us-east-1"
    static let account = "111122223333"
    static let otherAccount = "444455556666"

    /// Somebody with an access key.
    struct User: Sendable {
        var name: String
        var account = GatewayHarness.account
        /// Policies in JSON.
        var policies: [String] = []

        /// May do everything that no bucket's policy denies.
        static func administrator(_ name: String, account: String = GatewayHarness.account) -> User {
            User(name: name, account: account, policies: [allow("s3:*", on: "*")])
        }

        /// A policy of one statement.
        static func allow(_ actions: String..., on resources: String...) -> String {
            #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":\#(list(actions)),"#
                + #""Resource":\#(list(resources.map { "arn:aws:s3:::" + $0 }))}]}"#
        }

        private static func list(_ texts: [String]) -> String {
            "[" + texts.map { "\"\($0)\"" }.joined(separator: ",") + "]"
        }
    }

    let index: ScriptedIndex
    let memory: [MemoryStore]
    let stores: [FaultyStore]
    let environment: SimulatedEnvironment
    let audit = InMemoryAuditSink()
    let pool: ErasurePool
    let gateway: Gateway
    let pipeline: Pipeline
    let drainer: OutboxDrainer
    let session: WriterSession
    let workers: WorkerCommits
    let observations = ObservationLog()
    let shape: Shape

    /// How a gateway is made.
    struct Shape: Sendable {
        var users: [User] = []
        var region = GatewayHarness.region
        var domains: [String] = []
        var data = 2
        var parity = 1
        /// Bytes of a cell; tests with long bodies want long ones.
        var cell = 1024
        /// Whether small objects share blobs.
        var packs = true
        /// What was adopted.
        var foreign: any ForeignObjects = NoForeignObjects()
    }

    init(
        users: [User] = [], region: String = GatewayHarness.region, domains: [String] = [], data: Int = 2,
        parity: Int = 1, cell: Int = 1024, packs: Bool = true, foreign: any ForeignObjects = NoForeignObjects(),
        seed: UInt64 = 1
    ) async throws {
        let environment = SimulatedEnvironment(seed: seed, sleeping: .skipping)
        let index = ScriptedIndex()
        let session = try await EpochKeeper(index: index, environment: environment, node: "test")
            .begin(deployment: [UInt8](repeating: 7, count: 16))
        try self.init(
            Shape(
                users: users, region: region, domains: domains, data: data, parity: parity, cell: cell, packs: packs,
                foreign: foreign),
            over: (0..<(data + parity)).map { _ in MemoryStore() }, index, session, environment)
    }

    /// A gateway over stores and an index that are there already.
    init(
        _ shape: Shape, over memory: [MemoryStore], _ index: ScriptedIndex, _ session: WriterSession,
        _ environment: SimulatedEnvironment
    ) throws {
        (self.shape, self.memory, self.index) = (shape, memory, index)
        (self.session, self.environment) = (session, environment)
        stores = memory.map { FaultyStore($0, environment: environment) }
        var configuration = PoolConfiguration(
            deployment: try DeploymentID(session.deployment.id),
            geometry: try Geometry(dataShards: shape.data, parityShards: shape.parity, cellSize: shape.cell))
        configuration.suspicion = .zero
        let pool = try ErasurePool(stores: stores, configuration: configuration, environment: SystemEnvironment())
        self.pool = pool
        let commits = CommitService(index: index, epoch: session.gateway, begun: session.begun) {}
        let packer =
            shape.packs ? try Packer(pool) { [environment] in commits.blobName(random: environment.random()) } : nil
        gateway = Gateway(
            settings: GatewaySettings(region: shape.region, domains: shape.domains), index: index,
            storage: PooledStorage(
                pool: pool, packer: packer, index: index, environment: environment, commits: commits,
                foreign: shape.foreign),
            authenticator: Authenticator(credentials: try Self.credentials(shape.users), region: shape.region),
            audit: audit, environment: environment, commits: commits, metrics: observations.metrics)
        pipeline = Pipeline(gateway)
        workers = WorkerCommits(index: index, epoch: session.workers)
        drainer = OutboxDrainer(
            commits: workers, session: session, audit: audit, environment: environment, region: shape.region,
            node: "test")
    }

    private static func credentials(_ users: [User]) throws -> StaticCredentialStore {
        try StaticCredentialStore(
            root: AccessKey(id: keyID("root"), secret: secret("root"), principal: .root(account: account)),
            users: users.map { user in
                AccessKey(
                    id: keyID(user.name), secret: secret(user.name),
                    principal: .user(user.name, account: user.account),
                    policies: try user.policies.map { try PolicyDocument.parse(Array($0.utf8), kind: .identity) })
            })
    }

    static func keyID(_ name: String) -> String { "KEY-\(name)" }
    static func secret(_ name: String) -> SecretKey { SecretKey("the secret of \(name)") }

    /// Whoever owns the account.
    var root: S3Client { client("root") }
    /// Whoever says not who they are.
    var anonymous: S3Client { S3Client(harness: self, credentials: nil) }

    func client(_ name: String) -> S3Client {
        S3Client(
            harness: self,
            credentials: SigningCredentials(accessKeyID: Self.keyID(name), secret: Self.secret(name)))
    }

    /// The time, which stands still until a test moves it.
    var now: Timestamp { environment.now() }

    func advance(by duration: Duration) { environment.advance(by: duration) }

    /// Sends a request as it is.
    func handle(
        _ head: RequestHead, _ body: consuming Body, peer: String = "192.0.2.7", isSecure: Bool = false,
        tlsVersion: String? = nil, room: Int64 = .max
    ) async -> Received {
        let channel = RecordingChannel(room: room)
        let request = IncomingRequest(head: head, peerAddress: peer, isSecure: isSecure, tlsVersion: tlsVersion)
        await pipeline.handle(request, body: body, response: channel)
        let transcript = channel.transcript
        #expect(transcript.violations.isEmpty)
        #expect(transcript.head != nil || transcript.isAborted, "no answer was sent")
        let received = Received(transcript)
        #expect(
            head.method != "HEAD" && ![204, 304].contains(received.status) || received.body.isEmpty,
            "an answer without a body has one")
        return received
    }

    /// The audit records so far, in order; the outbox is brought into the log first.
    func records() async throws -> [Recorded] {
        try await drainer.drainAll()
        return try audit.records.map { try Recorded($0) }
    }

    /// What clients could see, and what must not be left over: every entry of the index but the outbox and the epochs,
    /// and how many bytes the stores hold.
    func contents() async throws -> [Entry] {
        try await index.memory.entries(.prefix([0x01])) + index.memory.entries(.prefix([0x02]))
            + index.memory.entries(.prefix([0x03]))
    }
}

extension GatewayHarness {
    /// A gateway with one bucket, named `bucket`, that belongs to the root.
    static func withBucket(
        versioning: String? = nil, users: [User] = [], cell: Int = 1024, packs: Bool = true, seed: UInt64 = 1
    ) async throws -> GatewayHarness {
        let harness = try await GatewayHarness(users: users, cell: cell, packs: packs, seed: seed)
        #expect(try await harness.root.put("/bucket").status == 200)
        if let versioning { #expect(try await harness.root.setVersioning("bucket", versioning).status == 200) }
        return harness
    }

    /// What a successor does when this gateway is taken for lost.
    func endEpoch() async throws {
        let id = TransactionID(epoch: .max, counter: environment.random() >> 1)
        let mutations: [Mutation] = [.remove(Keys.epoch(gateway.commits.epoch))]
        _ = try await index.memory.commit(Transaction(id: id, mutations: mutations))
    }

    /// The id of a bucket, for looking into the index.
    func bucketID(_ name: String = "bucket") async throws -> BucketID {
        let entry = try #require(try await index.memory.values(of: [Keys.bucket(name)])[0])
        return try BucketRecord(encoded: entry.value).id
    }
}

/// A record of the audit log, as a test looks at it.
struct Recorded: Sendable, CustomStringConvertible {
    let json: JSON

    init(_ record: AuditRecord) throws {
        json = try JSON.parse(record.canonicalJSON)
    }

    var name: String { json["eventName"]?.stringValue ?? "" }
    var id: String { json["eventID"]?.stringValue ?? "" }
    var requestID: String { json["requestID"]?.stringValue ?? "" }
    var error: String? { json["errorCode"]?.stringValue }
    var bucket: String? { json["requestParameters"]?["bucketName"]?.stringValue }
    var key: String? { json["requestParameters"]?["key"]?.stringValue }
    var resources: [String] { (json["resources"]?.arrayValue ?? []).compactMap { $0["ARN"]?.stringValue } }

    var description: String { "\(name) \(bucket ?? "-")/\(key ?? "-") \(error ?? "ok")" }
}

/// What the gateway told whoever counts and logs.
final class ObservationLog: Sendable {
    private let observations = Mutex<[GatewayMetrics.Observation]>([])

    var all: [GatewayMetrics.Observation] { observations.withLock { $0 } }

    var metrics: GatewayMetrics {
        GatewayMetrics { [self] observation in observations.withLock { $0.append(observation) } }
    }
}
