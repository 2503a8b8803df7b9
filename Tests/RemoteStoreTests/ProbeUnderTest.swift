import Primitives
import Signing
import Testing
import TidegateTesting

@testable import RemoteStore

/// Probes a fake, whose objects are smaller than those of a real one.
struct ProbeUnderTest: Sendable {
    var bucket = FakeBackend.Bucket()
    var onHead: @Sendable (ScriptedServer.Request, FakeBackend) -> ScriptedServer.Answer? = { _, _ in nil }
    var environment: any Environment = SimulatedEnvironment(sleeping: .skipping)
    /// So many bytes are certainly under way when the request breaks off only where there are many.
    var tornBytes = 64 << 10
    var lie: FakeBackend.Lie = { _, _, honest in honest() }

    struct Outcome {
        let report: ProbeReport
        let requests: [ScriptedServer.Request]
        /// What lies in the bucket afterwards.
        let left: [String]

        func verdict(_ ability: Ability) -> ProbeFinding.Verdict? { finding(ability)?.verdict }
        func finding(_ ability: Ability) -> ProbeFinding? { report.findings.first { $0.ability == ability } }
    }

    func run(_ configure: (inout RemoteStoreSettings) -> Void = { _ in }) async throws -> Outcome {
        let backend = FakeBackend(bucket, environment: environment, lie: lie)
        var outcome: Outcome?
        let onHead = onHead
        try await ScriptedServer.with(onHead: { onHead($0, backend) }, backend.script) { server in
            var probe = try server.probe(environment: environment, configure)
            probe.sizes.torn = tornBytes
            let report = await probe.run()
            #expect(report.findings.map(\.ability) == Ability.allCases)
            outcome = Outcome(report: report, requests: server.requests, left: backend.left)
        }
        return try #require(outcome)
    }
}

extension ScriptedServer {
    func probe(
        scheme: String = "http", environment: any Environment,
        _ configure: (inout RemoteStoreSettings) -> Void = { _ in }
    ) throws -> BackendProbe {
        var settings = RemoteStoreSettings()
        configure(&settings)
        var probe = BackendProbe(
            name: "backend-7",
            endpoint: try RemoteEndpoint(url: "\(scheme)://127.0.0.1:\(port)", bucket: "bucket", prefix: "pool"),
            credentials: SigningCredentials(accessKeyID: "REMOTEACCESSKEY", secret: SecretKey(Self.secret)),
            settings: settings, environment: environment)
        probe.sizes = BackendProbe.Sizes(part: 200_000, torn: 64 << 10, long: 300_000)
        return probe
    }
}
