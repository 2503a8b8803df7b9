package import Primitives
package import Signing

/// Measures what a backend can do, before it is trusted with shards.
///
/// It believes nothing that it has not seen: it writes some seventy objects below the endpoint's prefix, in a folder
/// whose name is drawn by lot and that no blob has, reads, lists and deletes them, and removes what is left at the end,
/// also where it found the backend wanting. Some 20 MiB go over the wire in all, and it takes some six minutes at
/// most (the page RemoteStore of Decisions).
package struct BackendProbe: Sendable {
    /// How many bytes the longer objects have.
    struct Sizes {
        /// Of a part before the last: the least that S3 takes.
        var part = 5 << 20
        /// Announced of the write that breaks off, of which an eighth is not sent: what is sent is more than is held on
        /// the way, so that some of it has certainly left us.
        var torn = 2 << 20
        /// Where throughput is measured.
        var long = 4 << 20
    }

    /// Until a single request has its answer.
    static let callLimit = Duration.seconds(30)
    /// Until nothing more is measured.
    static let measuringLimit = Duration.seconds(180)
    /// Beyond that, until no more is removed.
    static let removalLimit = Duration.seconds(60)

    /// What messages call the backend.
    let name: String
    let endpoint: RemoteEndpoint
    let credentials: SigningCredentials
    let settings: RemoteStoreSettings
    let environment: any Environment
    var sizes = Sizes()

    /// Nothing is sent yet.
    package init(
        name: String, endpoint: RemoteEndpoint, credentials: SigningCredentials, settings: RemoteStoreSettings,
        environment: any Environment
    ) {
        (self.name, self.endpoint, self.credentials) = (name, endpoint, credentials)
        (self.settings, self.environment) = (settings, environment)
    }

    /// Measures. What fails is a finding.
    package func run() async -> ProbeReport {
        guard let client = client() else {
            let detail = "Nothing could be measured: the system has no thread, descriptor or memory left."
            return ProbeReport(
                findings: Ability.allCases.map { ProbeFinding(ability: $0, verdict: .unknown, detail: detail) },
                abilities: BackendAbilities())
        }
        var probing = Probing(self, client)
        await probing.run()
        client.engine.close()
        return ProbeReport(findings: probing.findings, abilities: probing.abilities)
    }

    /// - Parameter change: To how the backend is reached.
    /// - Returns: Nil where the system has nothing left.
    func client(_ change: (inout TransferSettings) -> Void = { _ in }) -> RemoteClient? {
        var transfer = settings.transfer
        transfer.wholeTimeout = min(transfer.wholeTimeout ?? Self.callLimit, Self.callLimit)
        change(&transfer)
        var policy = settings.retry
        // What fails twice is worth telling.
        policy.attempts = min(policy.attempts, 2)
        return TransferEngine(transfer, environment: environment).map {
            RemoteClient(endpoint, credentials, engine: $0, policy: policy, environment: environment)
        }
    }
}
