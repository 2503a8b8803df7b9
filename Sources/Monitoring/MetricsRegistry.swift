import Synchronization

/// The metrics of the process, and their text for Prometheus.
///
/// Asking for a name again gives the same metric; its first help, labels and bounds hold. A name that is there as
/// another kind gives a metric that counts and is not told, since a format with one name of two kinds would be refused
/// as a whole.
package final class MetricsRegistry: Sendable {
    enum Entry {
        case counters(MetricFamily<Counter>)
        case gauges(MetricFamily<Gauge>)
        case histograms(MetricFamily<Histogram>)
        /// Asked for when the text is made.
        case observed(isCounter: Bool, @Sendable () -> Double)
    }

    struct Registration {
        var help: String
        var entry: Entry
    }

    private let maximumSeries: Int
    private let registrations = Mutex<[String: Registration]>([:])

    /// - Parameter maximumSeries: How many combinations of label values one name may have.
    package init(maximumSeries: Int = 512) {
        self.maximumSeries = maximumSeries
    }

    /// A number that only grows; its name ends with `_total`.
    package func counter(_ name: String, help: String) -> Counter {
        counters(name, help: help, labels: [])[]
    }

    /// Numbers that only grow, by label values.
    package func counters(_ name: String, help: String, labels: [String]) -> MetricFamily<Counter> {
        let family = MetricFamily(labels: labels, maximumSeries: maximumSeries) { Counter() }
        guard case .counters(let known) = register(name, help, .counters(family)) else { return family }
        return known
    }

    /// A number that goes up and down.
    package func gauge(_ name: String, help: String) -> Gauge {
        gauges(name, help: help, labels: [])[]
    }

    /// Numbers that go up and down, by label values.
    package func gauges(_ name: String, help: String, labels: [String]) -> MetricFamily<Gauge> {
        let family = MetricFamily(labels: labels, maximumSeries: maximumSeries) { Gauge() }
        guard case .gauges(let known) = register(name, help, .gauges(family)) else { return family }
        return known
    }

    /// A distribution.
    package func histogram(_ name: String, help: String, scale: Histogram.Scale) -> Histogram {
        histograms(name, help: help, labels: [], scale: scale)[]
    }

    /// Distributions, by label values.
    package func histograms(
        _ name: String, help: String, labels: [String], scale: Histogram.Scale
    ) -> MetricFamily<Histogram> {
        let family = MetricFamily(labels: labels, maximumSeries: maximumSeries) { Histogram(scale) }
        guard case .histograms(let known) = register(name, help, .histograms(family)) else { return family }
        return known
    }

    /// A number that something else keeps, asked for when the text is made; `isCounter` where it only grows.
    package func observe(
        _ name: String, help: String, isCounter: Bool = false, _ value: @escaping @Sendable () -> Double
    ) {
        _ = register(name, help, .observed(isCounter: isCounter, value))
    }

    private func register(_ name: String, _ help: String, _ entry: Entry) -> Entry {
        let name = MetricsText.validName(name)
        return registrations.withLock { registrations in
            if let known = registrations[name] { return known.entry }
            registrations[name] = Registration(help: help, entry: entry)
            return entry
        }
    }

    /// All metrics in Prometheus's text format, version 0.0.4, in the order of their names.
    package func text() -> String {
        var text = MetricsText()
        let all = registrations.withLock { $0 }
        for (name, registration) in all.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            text.append(name, registration)
        }
        return text.text
    }

    /// The content type of `text()`.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"
}
