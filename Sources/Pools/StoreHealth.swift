import Synchronization

/// Which stores failed lately, or held up writes, so that the next operation need not wait for them again.
final class StoreHealth: Sendable {
    private struct Record {
        var failures = 0
        var suspectUntil: UInt64 = 0
        /// Writes that left the store behind, without one in between that it took in time.
        var stragglings = 0
        var stragglesUntil: UInt64 = 0
    }

    /// A store that held up a write is avoided so many times as long as one that failed: to find out whether it still
    /// does costs a write as long as it waits.
    private static let stragglingFactor: UInt64 = 8

    private let records: Mutex<[Record]>
    private let suspicion: UInt64

    init(stores: Int, suspicion: Duration) {
        records = Mutex(Array(repeating: Record(), count: stores))
        self.suspicion = suspicion.nanoseconds
    }

    /// Has records for so many stores from now on.
    func grow(to count: Int) {
        records.withLock { records in
            records += Array(repeating: Record(), count: max(0, count - records.count))
        }
    }

    /// Whether a store is to be given nothing now. Once its time is over, the next operation tries it.
    func isSuspect(_ store: Int, now: UInt64) -> Bool {
        records.withLock { max($0[store].suspectUntil, $0[store].stragglesUntil) > now }
    }

    /// Whether a store failed lately, so that it is not read either.
    func hasFailed(_ store: Int, now: UInt64) -> Bool {
        records.withLock { $0[store].suspectUntil > now }
    }

    func failed(_ store: Int, now: UInt64) {
        records.withLock { records in
            let exponent = min(records[store].failures, 5)
            records[store].failures += 1
            records[store].suspectUntil = now + suspicion << UInt64(exponent)
        }
    }

    func worked(_ store: Int) {
        records.withLock { records in (records[store].failures, records[store].suspectUntil) = (0, 0) }
    }

    /// Notes that a write left a store behind. That reads of it work says nothing against it.
    func straggled(_ store: Int, now: UInt64) {
        records.withLock { records in
            let exponent = min(records[store].stragglings, 5)
            records[store].stragglings += 1
            records[store].stragglesUntil = now + Self.stragglingFactor * suspicion << UInt64(exponent)
        }
    }

    /// Notes that a store took a shard in time.
    func kept(_ store: Int, now: UInt64) {
        records.withLock { records in
            if records[store].stragglesUntil <= now { records[store].stragglings = 0 }
        }
    }
}

extension Duration {
    /// Whole nanoseconds; 0 for a negative duration, the greatest number for one of centuries.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max >> 8 : min(.max >> 8, product + UInt64(attoseconds / 1_000_000_000))
    }
}
