/// Sizes and durations as people write them.
package enum ValueText {
    private static let sizeUnits: [(String, Int64)] = [
        ("PiB", 1 << 50), ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
    ]
    private static let durationUnits: [(String, Int64)] = [("ms", 1), ("h", 3_600_000), ("m", 60_000), ("s", 1000)]

    /// Bytes; nil for what is no size.
    package static func parseSize(_ text: String) -> Int64? {
        for (unit, factor) in sizeUnits where text.utf8.reversed().starts(with: unit.utf8.reversed()) {
            return whole(text.utf8.dropLast(unit.utf8.count), times: factor)
        }
        return whole(text.utf8[...], times: 1)
    }

    /// Milliseconds; nil for what is no duration, or has no unit.
    package static func parseDuration(_ text: String) -> Int64? {
        for (unit, factor) in durationUnits where text.utf8.reversed().starts(with: unit.utf8.reversed()) {
            return whole(text.utf8.dropLast(unit.utf8.count), times: factor)
        }
        return nil
    }

    /// A number of digits with a point between them, or without one; nil for anything else, such as an exponent.
    package static func parseDecimal(_ text: String) -> Double? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 2,
            parts.allSatisfy({ (1...15).contains($0.count) && $0.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } })
        else { return nil }
        return Double(text)
    }

    /// In the largest unit that leaves a whole number.
    package static func size(_ bytes: Int64) -> String {
        for (unit, factor) in sizeUnits where bytes >= factor && bytes % factor == 0 {
            return "\(bytes / factor)\(unit)"
        }
        return "\(bytes)"
    }

    /// In the largest unit that leaves a whole number.
    package static func duration(_ milliseconds: Int64) -> String {
        let units = durationUnits.sorted { $0.1 > $1.1 }
        for (unit, factor) in units where milliseconds >= factor && milliseconds % factor == 0 {
            return "\(milliseconds / factor)\(unit)"
        }
        return "\(milliseconds)ms"
    }

    /// Digits alone, times a factor; nil where it overflows.
    static func whole(_ digits: Substring.UTF8View, times factor: Int64) -> Int64? {
        guard (1...18).contains(digits.count), digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            let number = Int64(String(decoding: digits, as: UTF8.self))
        else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}
