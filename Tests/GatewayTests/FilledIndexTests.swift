import Gateway
import Metadata
import Primitives
import Simulation
import Testing

@testable import workbench

/// The index that the benchmarks fill is one that a gateway could have made.
@Suite("A filled index")
struct FilledIndexTests {
    @Test("Its counts and references are those of its objects", arguments: [(1, 10), (250, 40), (250, 1000)])
    func laws(count: Int, committed: Int) async throws {
        let harness = try await GatewayHarness()
        try await harness.root.put("/bucket")
        try await harness.root.put("/bucket/template", "some content")
        let filled = MemoryIndex()
        let filler = try await ObjectFiller(
            harness.index.memory, bucket: "bucket", template: "template", prefix: "listed", count: count,
            committed: committed, environment: harness.environment)
        try await filler.fill(filled)
        let laws = try await IndexLaws(filled, committed: [], epochs: [])
        #expect(laws.violations.isEmpty)
        let keys = try await filled.entries(Keys.rooms).filter { Keys.letter(ofRoom: $0.key) == UInt8(ascii: "l") }
        #expect(keys.count == count + 1)
        // What was in the outbox of the source was the template's.
        #expect(try await filled.entries(Keys.outbox) == harness.index.memory.entries(Keys.outbox))
    }

    @Test("It is made of an object that is there")
    func noTemplate() async throws {
        let harness = try await GatewayHarness()
        try await harness.root.put("/bucket")
        await #expect(throws: FillError.self) {
            _ = try await ObjectFiller(
                harness.index.memory, bucket: "bucket", template: "template", prefix: "listed", count: 1,
                environment: harness.environment)
        }
    }
}
