import Gateway
import Metadata
import Pools
import Primitives
import Simulation
import Testing
import Workers

/// A bucket may be deleted while uploads to it are open; what they stored goes too.
@Suite("Uploads of deleted buckets")
struct DeletedBucketTests {
    private func collect(_ harness: GatewayHarness) async throws {
        let uploads = UploadCollector(commits: harness.workers, environment: harness.environment)
        while try await uploads.pass() > 0 {}
        let trash = TrashCollector(
            commits: harness.workers, pool: harness.pool, horizon: harness.gateway.horizon, claims: BlobClaims(),
            environment: harness.environment)
        while try await trash.pass().didWork {}
    }

    private func blobs(_ harness: GatewayHarness) async throws -> Int {
        try await harness.index.memory.entries(Keys.blobs("b")).count
    }

    @Test("They are collected, and those of other buckets are not", arguments: [1, 700])
    func collected(uploads: Int) async throws {
        let harness = try await GatewayHarness()
        let client = harness.root
        for bucket in ["/gone", "/here"] { try await client.put(bucket) }
        let here = try await client.startUpload("/here/key")
        #expect(try await client.putPart("/here/key", here, 1, "content").status == 200)
        let gone = try await client.startUpload("/gone/key")
        for number in 1...3 { try await client.putPart("/gone/key", gone, number, "content") }
        for number in 1..<uploads { _ = try await client.startUpload("/gone/key\(number)") }
        let completed = try await client.startUpload("/gone/other")
        let part = try await client.putPart("/gone/other", completed, 1, "content")
        #expect(try await client.complete("/gone/other", completed, [(1, part.etag)]).status == 200)
        #expect(try await client.delete("/gone/other").status == 204)
        #expect(try await client.delete("/gone").status == 204)
        // One of the same name is another one, and starts without anything.
        try await client.put("/gone")
        let again = try await client.startUpload("/gone/key")
        try await collect(harness)
        let rows = try await harness.index.memory.entries(Keys.rooms)
        #expect(Set(rows.map { Keys.bucket(ofRoom: $0.key) }).count == 2)
        #expect(try await blobs(harness) == 1)
        try await IndexLaws.check(harness)
        for (target, upload) in [("/here/key", here), ("/gone/key", again)] {
            let part = try await client.putPart(target, upload, 1, "content")
            #expect(try await client.complete(target, upload, [(1, part.etag)]).status == 200)
        }
    }

    @Test("A part that arrives meanwhile is collected too")
    func race() async throws {
        let harness = try await GatewayHarness()
        let client = harness.root
        try await client.put("/gone")
        let upload = try await client.startUpload("/gone/key")
        try await client.putPart("/gone/key", upload, 1, "content")
        // The part's bytes are stored and the bucket was found when the bucket goes.
        harness.index.before({ call in
            guard case .commit(let transaction) = call else { return false }
            return transaction.mutations.contains { mutation in
                if case .put(let key, _) = mutation {
                    key.first == 0x02 && key.count > 9 && key[9] == UInt8(ascii: "q")
                } else {
                    false
                }
            }
        }) {
            _ = try? await client.delete("/gone")  // The collection below shows whether it went.
        }
        _ = try await client.putPart("/gone/key", upload, 2, "more")
        try await collect(harness)
        #expect(try await harness.index.memory.entries(Keys.rooms).isEmpty)
        #expect(try await blobs(harness) == 0)
    }
}
