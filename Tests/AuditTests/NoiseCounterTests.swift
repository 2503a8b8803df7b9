import Audit
import Testing

@Suite("The noise counter")
struct NoiseCounterTests {
    private let second: UInt64 = 1_000_000_000

    @Test("records the first refusals of a window and counts the others")
    func counting() {
        var counter = NoiseCounter(recordedPerWindow: 3, windowSeconds: 60, maximumSources: 8)
        let verdicts = (0..<10).map { _ in counter.refusal(from: "192.0.2.1", at: second) }
        #expect(verdicts == Array(repeating: .record, count: 3) + Array(repeating: .counted, count: 7))
        #expect(counter.refusal(from: "192.0.2.2", at: second) == .record)
        #expect(counter.summaries(at: 60 * second).isEmpty)
        let summaries = counter.summaries(at: 61 * second)
        #expect(summaries.map(\.source) == ["192.0.2.1"])
        #expect(summaries.map(\.count) == [7])
        #expect(counter.summaries(at: 200 * second).isEmpty)
    }

    @Test("begins a new window after the old one")
    func windows() {
        var counter = NoiseCounter(recordedPerWindow: 1, windowSeconds: 10, maximumSources: 8)
        for _ in 0..<5 { _ = counter.refusal(from: "a", at: 0) }
        #expect(counter.refusal(from: "a", at: 10 * second) == .record)
        #expect(counter.refusal(from: "a", at: 11 * second) == .counted)
        #expect(counter.finish().map(\.count) == [5])
        #expect(counter.finish().isEmpty)
    }

    @Test("keeps a bounded number of sources, and loses no count of the others")
    func bound() {
        var counter = NoiseCounter(recordedPerWindow: 2, windowSeconds: 60, maximumSources: 4)
        var recorded = 0
        for source in 0..<1000 {
            for _ in 0..<3 where counter.refusal(from: "\(source)", at: 0) == .record { recorded += 1 }
        }
        let summaries = counter.summaries(at: 60 * second)
        #expect(summaries.count == 5)
        #expect(summaries.last?.source == nil)
        #expect(recorded == 4 * 2 + 2)
        #expect(recorded + Int(summaries.reduce(0) { $0 + $1.count }) == 3000)
    }

    @Test("counts whoever has a network of version 6 as one source")
    func networks() {
        var counter = NoiseCounter(recordedPerWindow: 4, windowSeconds: 60, maximumSources: 8)
        var recorded = 0
        for host in 0..<1000 {
            let address = "2001:db8:0:7::\(String(host, radix: 16))"
            if counter.refusal(from: address, at: 0) == .record { recorded += 1 }
        }
        #expect(recorded == 4)
        // Another network, and the same address of version 4 in two forms.
        #expect(counter.refusal(from: "2001:db8:0:8::1", at: 0) == .record)
        for _ in 0..<4 { _ = counter.refusal(from: "192.0.2.1", at: 0) }
        #expect(counter.refusal(from: "::ffff:192.0.2.1", at: 0) == .counted)
        #expect(counter.refusal(from: "192.0.2.2", at: 0) == .record)
        let summaries = counter.summaries(at: 60 * second)
        #expect(summaries.map(\.source) == ["192.0.2.1", "2001:db8:0:7::/64"])
        #expect(summaries.map(\.count) == [1, 996])
    }
}
