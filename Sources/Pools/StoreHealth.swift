import Synchronization

/// Which stores failed lately, so that the next operation need not wait for them to fail again.
final class StoreHealth: Sendable {
    private struct Record {
        var failures = 0
        var suspectUntil: UInt64 = 0
    }

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

    /// Whether a store is to be avoided now. Once its time is over, the next operation tries it.
    func isSuspect(_ store: Int, now: UInt64) -> Bool {
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
        records.withLock { $0[store] = Record() }
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
