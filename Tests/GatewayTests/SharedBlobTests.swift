import Gateway
import Metadata
import Pools
import Primitives
import Simulation
import Storage
import Synchronization
import Testing

/// A request that may share a blob says so for as long as it may refer to it.
@Suite("Requests that share blobs")
struct SharedBlobTests {
    @Test("They hold tombstones back until their commit, and no longer", arguments: [10, 1 << 20])
    func token(length: Int) async throws {
        let harness = try await GatewayHarness()
        try await harness.root.put("/bucket")
        let open = Mutex(-1)
        harness.index.before({ call in
            guard case .commit(let transaction) = call else { return false }
            return transaction.mutations.contains { $0.key.starts(with: Keys.blobs("b").lowerBound.key) }
        }) {
            open.withLock { $0 = harness.gateway.sharing.openReads }
        }
        #expect(try await harness.root.put("/bucket/key", Content([UInt8](repeating: 1, count: length))).status == 200)
        #expect(open.withLock { $0 } == (length < 1000 ? 1 : 0))
        #expect(harness.gateway.sharing.openReads == 0)
    }

    @Test("They give back what they took when they fail")
    func failure() async throws {
        let harness = try await GatewayHarness()
        try await harness.root.put("/bucket")
        for store in harness.stores { store.isAvailable = false }
        #expect(try await harness.root.put("/bucket/key", "content").status == 503)
        #expect(harness.gateway.sharing.openReads == 0)
    }
}
