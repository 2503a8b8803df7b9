/// Writes Prometheus's text format, version 0.0.4.
/// Source: Prometheus documentation, "Exposition formats", text-based format.
struct MetricsText {
    private(set) var text = ""

    mutating func append(_ name: String, _ registration: MetricsRegistry.Registration) {
        let help = Self.escaped(registration.help, quotes: false)
        switch registration.entry {
        case .counters(let family):
            head(name, "counter", help)
            for (values, counter) in family.all { line(name, labels(family.labels, values), "\(counter.value)") }
        case .gauges(let family):
            head(name, "gauge", help)
            for (values, gauge) in family.all { line(name, labels(family.labels, values), "\(gauge.value)") }
        case .histograms(let family):
            head(name, "histogram", help)
            for (values, histogram) in family.all { append(name, histogram, labels(family.labels, values)) }
        case .observed(let isCounter, let value):
            head(name, isCounter ? "counter" : "gauge", help)
            line(name, [], Self.number(value()))
        }
    }

    private mutating func append(_ name: String, _ histogram: Histogram, _ labels: [String]) {
        let (below, count) = histogram.cumulative
        for (bound, number) in zip(histogram.scale.bounds, below) {
            line(
                "\(name)_bucket", labels + ["le=\"\(Self.number(Double(bound) / histogram.scale.unit))\""], "\(number)")
        }
        line("\(name)_bucket", labels + ["le=\"+Inf\""], "\(count)")
        line("\(name)_sum", labels, Self.number(histogram.sum))
        line("\(name)_count", labels, "\(count)")
    }

    private mutating func head(_ name: String, _ kind: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    }

    private mutating func line(_ name: String, _ labels: [String], _ value: String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels.joined(separator: ","))} \(value)\n"
    }

    private func labels(_ names: [String], _ values: [String]) -> [String] {
        zip(names, values).map { "\(Self.validName($0))=\"\(Self.escaped($1, quotes: true))\"" }
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        guard value.isFinite else { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return "\(whole)" }
        return "\(value)"
    }

    /// Backslashes and line feeds escaped, and in label values quotes too.
    private static func escaped(_ text: String, quotes: Bool) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes += "\\\\".utf8
            case UInt8(ascii: "\n"): bytes += "\\n".utf8
            case UInt8(ascii: "\"") where quotes: bytes += "\\\"".utf8
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The name with every byte that the format does not allow in one replaced by `_`.
    static func validName(_ name: String) -> String {
        let bytes = name.utf8.enumerated().map { place, byte -> UInt8 in
            switch byte {
            case 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): byte
            case 0x30...0x39 where place > 0: byte
            default: UInt8(ascii: "_")
            }
        }
        return bytes.isEmpty ? "_" : String(decoding: bytes, as: UTF8.self)
    }
}
