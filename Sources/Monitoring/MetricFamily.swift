import Synchronization

/// Metrics of one name, one for each combination of label values, in bounded number.
package final class MetricFamily<Metric: AnyObject & Sendable>: Sendable {
    /// Bytes of a label's value; longer ones are cut.
    package static var maximumValueLength: Int { 128 }

    let labels: [String]
    private let maximumSeries: Int
    private let make: @Sendable () -> Metric
    private let series = Mutex<[[String]: Metric]>([:])

    init(labels: [String], maximumSeries: Int, make: @escaping @Sendable () -> Metric) {
        (self.labels, self.maximumSeries, self.make) = (labels, maximumSeries, make)
    }

    /// The metric of these values, in the order of the labels' names; missing ones are empty.
    ///
    /// Once there are as many series as the family may have, all others share one whose every value is `other`. Keep
    /// the metric where the values are known beforehand: it needs no lock.
    package subscript(values: String...) -> Metric {
        let key = labels.indices.map { $0 < values.count ? Self.bounded(values[$0]) : "" }
        return series.withLock { series in
            if let metric = series[key] { return metric }
            let place = series.count < maximumSeries ? key : labels.map { _ in "other" }
            if let metric = series[place] { return metric }
            let metric = make()
            series[place] = metric
            return metric
        }
    }

    /// Every series, in the order of its values.
    package var all: [(values: [String], metric: Metric)] {
        series.withLock { series in series.map { (values: $0.key, metric: $0.value) } }
            .sorted { left, right in
                left.values.lexicographicallyPrecedes(right.values) { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            }
    }

    private static func bounded(_ value: String) -> String {
        value.utf8.count <= maximumValueLength
            ? value : String(decoding: value.utf8.prefix(maximumValueLength), as: UTF8.self)
    }
}
