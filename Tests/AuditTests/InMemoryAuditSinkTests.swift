import Audit
import Testing

@Suite("The log in memory")
struct InMemoryAuditSinkTests {
    @Test("chains, deduplicates batches and fails on demand")
    func behaviour() async throws {
        let sink = InMemoryAuditSink()
        let batch = (0..<3).map { Samples.record($0) }
        #expect(try await sink.append(contentsOf: batch).map(\.sequence) == [0, 1, 2])
        #expect(try await sink.append(contentsOf: batch).map(\.sequence) == [0, 1, 2])
        #expect(try await sink.append(batch[0], durability: .bounded).sequence == 3)
        let records = sink.lines.compactMap { LinkedRecord(line: $0) }
        #expect(records.count == 4)
        for (earlier, later) in zip(records, records.dropFirst()) { #expect(later.link.previous == earlier.hash) }
        sink.fail(with: "disk")
        #expect(!sink.acceptsMutations)
        await #expect(throws: AuditError.unavailable("disk")) { try await sink.append(batch[0], durability: .strict) }
        sink.fail(with: nil)
        #expect(sink.acceptsMutations)
    }
}
