/// How often values lay below each of some bounds, and what they add up to.
///
/// Values are whole numbers of a small unit (nanoseconds, bytes), so that adding them needs no lock; `Scale` turns them
/// into the unit in which they are told.
package final class Histogram: Sendable {
    /// Bounds, and the unit in which they are told.
    package struct Scale: Sendable, Hashable {
        /// Ascending; a value equal to a bound counts below it.
        package var bounds: [UInt64]
        /// How many raw units make one that is told.
        package var unit: Double

        package init(bounds: [UInt64], unit: Double) {
            self.bounds = bounds.sorted()
            self.unit = unit
        }

        /// Nanoseconds, told in seconds: from 1 ms to 60 s.
        package static let latency = Scale(
            bounds: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000].map {
                $0 * 1_000_000
            },
            unit: 1_000_000_000)

        /// Bytes: from 1 KiB to 1 GiB.
        package static let size = Scale(bounds: stride(from: 10, through: 30, by: 2).map { 1 << $0 }, unit: 1)
    }

    let scale: Scale
    /// One counter for each bound, and one for what lies above the last.
    private let buckets: [Counter]
    private let total = Counter()

    package init(_ scale: Scale) {
        self.scale = scale
        buckets = (0...scale.bounds.count).map { _ in Counter() }
    }

    package func observe(_ value: UInt64) {
        // Few bounds: looking from below is as quick as halving.
        let place = scale.bounds.firstIndex { value <= $0 } ?? scale.bounds.count
        buckets[place].add(1)
        total.add(value)
    }

    /// How many values lay at or below each bound, and how many there were.
    var cumulative: (below: [UInt64], count: UInt64) {
        var sum: UInt64 = 0
        let sums = buckets.map { bucket in
            sum += bucket.value
            return sum
        }
        return (Array(sums.dropLast()), sum)
    }

    /// The sum of all values, in the unit that is told.
    var sum: Double { Double(total.value) / scale.unit }
}
