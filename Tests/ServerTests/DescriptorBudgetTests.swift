import Server
import Testing

/// The limits that open files allow.
@Suite("Descriptor budget")
struct DescriptorBudgetTests {
    @Test("Where there are enough files, the limits stay as they are")
    func enough() throws {
        let budget = try #require(DescriptorBudget(connections: 1024, requests: 512, shards: 6, available: 5376))
        #expect((budget.connections, budget.requests) == (1024, 512))
        #expect(DescriptorBudget(connections: 1_000_000, requests: 1_000_000, shards: 20, available: .max) != nil)
    }

    @Test("What is left never needs more files than there are, and serves somebody", arguments: 1...60)
    func fits(_ step: Int) throws {
        for available in [448, 1024, 4096, 65_536, 448 + step * 97] {
            for (connections, requests) in [(1024, 512), (1, 1), (16, 4096), (100_000, 16), (step * 31, step * 7)] {
                let budget = try #require(
                    DescriptorBudget(connections: connections, requests: requests, shards: 6, available: available))
                #expect(budget.connections + budget.requests * 8 + DescriptorBudget.base <= available)
                #expect((1...connections).contains(budget.connections))
                #expect((1...requests).contains(budget.requests))
                #expect(budget.connections >= min(connections, DescriptorBudget.least.connections))
                #expect(budget.requests >= min(requests, DescriptorBudget.least.requests))
            }
        }
    }

    @Test("Too few files serve nobody", arguments: [0, 255, 256, 415])
    func tooFew(_ available: Int) {
        #expect(DescriptorBudget(connections: 1024, requests: 512, shards: 6, available: available) == nil)
    }
}
