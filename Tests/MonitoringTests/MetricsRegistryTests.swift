import Monitoring
import Testing

@Suite("The registry of metrics")
struct MetricsRegistryTests {
    @Test("writes Prometheus's text format")
    func text() {
        let registry = MetricsRegistry()
        registry.counter("tidegate_requests_total", help: "Requests.\nAll \\ of them.").add(3)
        let family = registry.counters("tidegate_errors_total", help: "Errors.", labels: ["operation", "code"])
        family["PutObject", "No\"Such\\Key\n"].add(2)
        family["GetObject", "x"].add()
        let gauge = registry.gauge("tidegate_connections", help: "Open.")
        gauge.set(7)
        gauge.add(-2)
        registry.observe("tidegate_lag_seconds", help: "Lag.") { 0.25 }
        let histogram = registry.histogram(
            "tidegate_wait", help: "Waits.", scale: Histogram.Scale(bounds: [1000, 10], unit: 1000))
        for value in [5, 10, 11, 2000] as [UInt64] { histogram.observe(value) }
        #expect(
            registry.text() == """
                # HELP tidegate_connections Open.
                # TYPE tidegate_connections gauge
                tidegate_connections 5
                # HELP tidegate_errors_total Errors.
                # TYPE tidegate_errors_total counter
                tidegate_errors_total{operation="GetObject",code="x"} 1
                tidegate_errors_total{operation="PutObject",code="No\\"Such\\\\Key\\n"} 2
                # HELP tidegate_lag_seconds Lag.
                # TYPE tidegate_lag_seconds gauge
                tidegate_lag_seconds 0.25
                # HELP tidegate_requests_total Requests.\\nAll \\\\ of them.
                # TYPE tidegate_requests_total counter
                tidegate_requests_total 3
                # HELP tidegate_wait Waits.
                # TYPE tidegate_wait histogram
                tidegate_wait_bucket{le="0.01"} 2
                tidegate_wait_bucket{le="1"} 3
                tidegate_wait_bucket{le="+Inf"} 4
                tidegate_wait_sum 2.026
                tidegate_wait_count 4

                """)
    }

    @Test("gives the same metric under the same name")
    func sameName() {
        let registry = MetricsRegistry()
        registry.counter("a_total", help: "A.").add()
        registry.counter("a_total", help: "B.").add()
        #expect(registry.counter("a_total", help: "C.").value == 2)
        registry.gauge("a_total", help: "Another kind.").set(9)
        #expect(registry.text() == "# HELP a_total A.\n# TYPE a_total counter\na_total 2\n")
    }

    @Test("keeps a bounded number of series, and loses no count of the others")
    func bound() {
        let registry = MetricsRegistry(maximumSeries: 4)
        let family = registry.counters("a_total", help: "A.", labels: ["bucket"])
        for number in 0..<1000 { family["\(number)"].add() }
        let lines = registry.text().split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines.count == 5)
        #expect(lines.contains("a_total{bucket=\"other\"} 996"))
    }

    @Test("allows no name and no label to break the format")
    func names() {
        let registry = MetricsRegistry()
        registry.counters("9 a{b}\nc", help: "A.", labels: ["d=\"e"])[String(repeating: "x", count: 1000)].add()
        let line = registry.text().split(separator: "\n").last
        #expect(line == "__a_b__c{d__e=\"\(String(repeating: "x", count: 128))\"} 1")
    }

    @Test("counts from many tasks at once")
    func concurrency() async {
        let counter = MetricsRegistry().counter("a_total", help: "A.")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { for _ in 0..<1000 { counter.add() } } }
        }
        #expect(counter.value == 8000)
    }
}
