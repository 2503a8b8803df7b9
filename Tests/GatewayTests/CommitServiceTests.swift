import Gateway
import Metadata
import Testing

@Suite("Commits")
struct CommitServiceTests {
    @Test("A gateway whose epoch has ended changes nothing, says so, and does not try again")
    func fenced() async throws {
        let harness = try await GatewayHarness()
        try await harness.root.put("/bucket")
        try await harness.root.put("/bucket/old", "old")
        let epoch = harness.gateway.commits.epoch
        try await harness.write([.remove(Keys.epoch(epoch))])
        for request in ["/bucket/key", "/bucket/key?tagging", "/other", "/bucket/old"] {
            let calls = harness.index.commitCalls
            let answer =
                switch request {
                case "/bucket/old": try await harness.root.delete(request)
                case "/bucket/key?tagging": try await harness.root.put("/bucket/old?tagging", Documents.tagging([]))
                default: try await harness.root.put(request, request == "/other" ? "" : "new")
                }
            #expect(answer.outcome == "503 ServiceUnavailable", "\(request)")
            #expect(harness.index.commitCalls <= calls + 2, "\(request) was tried again and again")
        }
        #expect(try await harness.root.get("/bucket/old").text == "old")
        #expect(try await harness.root.get("/bucket/key").status == 404)
        #expect(harness.observations.all.contains { $0.reason?.contains("epoch") == true })
    }

    @Test("A conflict counts its position among the conditions of the changes")
    func positions() async throws {
        let harness = try await GatewayHarness()
        var changes = Changes()
        changes.require(.absent([0x7F, 1]))
        changes.require(.present([0x7F, 2]))
        await #expect(throws: MetadataError.conflict(condition: 1)) {
            try await harness.gateway.commits.commit(changes, records: [])
        }
    }
}
