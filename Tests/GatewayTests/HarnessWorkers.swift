import Gateway
import Metadata
import Primitives
import Simulation
import Storage
import Testing
import TidegateTesting
import Workers

/// What runs beside requests, run by a test when it wants to.
extension GatewayHarness {
    /// Writes entries behind the gateway's back.
    func write(_ mutations: [Mutation]) async throws {
        let id = TransactionID(epoch: .max, counter: environment.random() >> 1)
        _ = try await index.memory.commit(Transaction(id: id, mutations: mutations))
    }

    /// Takes every blob on the trash as far as it goes.
    @discardableResult
    func collectTrash() async throws -> TrashReport {
        let collector = TrashCollector(
            commits: workers, pool: pool, horizon: gateway.horizon, claims: BlobClaims(), environment: environment)
        return try await collector.pass()
    }

    /// How many blobs the stores hold shards of.
    func storedBlobs() async throws -> Int {
        var names: Set<BlobName> = []
        for store in memory {
            for summary in try await store.blobs(after: nil, limit: 10_000) { names.insert(summary.name.whole) }
        }
        return names.count
    }

    /// The entries of the room of blobs: `b`, `d`, `r` or `t`.
    func rows(_ letter: Unicode.Scalar) async throws -> [Entry] {
        try await index.memory.entries(Keys.blobs(letter))
    }
}

/// Does the other side of a race, where nothing can be thrown.
func recordingIssues(
    sourceLocation: SourceLocation = #_sourceLocation, _ work: () async throws -> Void
) async {
    do { try await work() } catch { Issue.record(error, sourceLocation: sourceLocation) }
}
