import Logging
import Primitives
import Storage
import Synchronization

/// Says in the log why calls of stores fail: the first one at once, and of those that follow how many there were.
final class StoreFailures: Sendable {
    private struct Silence {
        var until: UInt64 = 0
        var withheld = 0
    }

    /// How long a store is not spoken of again.
    private static let nanoseconds: UInt64 = 10_000_000_000

    private let logger = Logger(label: "tidegate.stores")
    private let environment: any Environment
    private let silences = Mutex<[Int: Silence]>([:])

    init(_ environment: any Environment) {
        self.environment = environment
    }

    func observe(_ store: Int, _ error: StorageError) {
        let now = environment.monotonicNanoseconds()
        let withheld: Int? = silences.withLock { silences in
            guard silences[store, default: Silence()].until <= now else {
                silences[store]?.withheld += 1
                return nil
            }
            defer { silences[store] = Silence(until: now &+ Self.nanoseconds) }
            return silences[store]?.withheld ?? 0
        }
        guard let withheld else { return }
        logger.warning(
            "a call of a store failed",
            metadata: ["store": .count(store), "reason": "\(error)", "others-since-the-last": .count(withheld)])
    }
}
