import Metadata
import Pools
import Primitives
import Simulation
import Storage
import Testing
import Workers

/// What is stored without one of its shards, since no store took it.
@Suite("Objects that lack a shard")
struct MissingShardTests {
    enum Write: Sendable, CaseIterable {
        case small
        case large
        case part
        case copy
    }

    /// No store takes a blob's first shard, and none a second attempt.
    private func loseShards(_ harness: GatewayHarness) {
        for store in harness.stores {
            store.follow(
                FaultPlan { call in
                    guard call.operation == .write, let shard = call.name?.shard else { return [] }
                    return shard.index == 0 || shard.attempt > 0 ? [.failBefore(.unavailable("away"))] : []
                })
        }
    }

    private func write(_ write: Write, _ harness: GatewayHarness) async throws -> Received {
        let client = harness.root
        switch write {
        case .small:
            loseShards(harness)
            return try await client.put("/bucket/key", "content")
        case .large:
            loseShards(harness)
            return try await client.put("/bucket/key", Content([UInt8](repeating: 3, count: 2 << 20)))
        case .part:
            let upload = try await client.startUpload("/bucket/key")
            loseShards(harness)
            return try await client.putPart("/bucket/key", upload, 1, "content")
        case .copy:
            try await client.put("/bucket/source", "content")
            loseShards(harness)
            return try await client.copy("/bucket/source", to: "/bucket/key")
        }
    }

    @Test("They are on the repair queue by the commit that makes them known", arguments: Write.allCases)
    func queued(_ write: Write) async throws {
        let harness = try await GatewayHarness(data: 2, parity: 2)
        try await harness.root.put("/bucket")
        #expect(try await self.write(write, harness).status == 200)
        for store in harness.stores { store.follow(.none) }
        var queued = 0
        for transaction in harness.index.committed {
            for case .create(let key, let value) in transaction.mutations
            where key.starts(with: Keys.blobs("b").lowerBound.key) {
                let missing = try BlobRecord(encoded: value).location.exceptions.filter { $0.store == nil }
                let row = Keys.damaged(try #require(Keys.blobName(key)))
                var damaged: DamagedRecord?
                for case .create(row, let value) in transaction.mutations {
                    damaged = try DamagedRecord(encoded: value)
                }
                #expect(damaged?.shards ?? [] == missing.map(\.index))
                #expect(damaged?.reported ?? harness.now == harness.now)
                queued += missing.count
            }
        }
        #expect(queued == 1)
        try await repair(harness)
        for entry in try await harness.index.memory.entries(Keys.blobs("b")) {
            #expect(try BlobRecord(encoded: entry.value).location.exceptions.allSatisfy { $0.store != nil })
        }
        #expect(try await harness.index.memory.entries(Keys.blobs("d")).isEmpty)
    }

    private func repair(_ harness: GatewayHarness) async throws {
        let service = RepairService(
            commits: harness.workers, pool: harness.pool, queue: DamageQueue(environment: harness.environment),
            horizon: ReadHorizon(), claims: BlobClaims(), environment: harness.environment,
            region: GatewayHarness.region)
        while try await service.repairPass() > 0 {}
    }
}
