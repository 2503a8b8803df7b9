import Synchronization

/// A number that goes up and down.
package final class Gauge: Sendable {
    private let number = Atomic<Int64>(0)

    package init() {}

    package func set(_ value: Int64) {
        number.store(value, ordering: .relaxed)
    }

    package func add(_ amount: Int64) {
        number.wrappingAdd(amount, ordering: .relaxed)
    }

    package var value: Int64 { number.load(ordering: .relaxed) }
}
