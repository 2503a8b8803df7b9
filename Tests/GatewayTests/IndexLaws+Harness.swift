import Gateway
import Simulation
import Testing

extension IndexLaws {
    /// Checks every law, and records what is broken.
    static func check(_ harness: GatewayHarness, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let laws = try await IndexLaws(
            harness.index.memory, committed: harness.index.committed, epochs: [harness.gateway.commits.epoch])
        for violation in laws.violations { Issue.record("\(violation)", sourceLocation: sourceLocation) }
    }
}
