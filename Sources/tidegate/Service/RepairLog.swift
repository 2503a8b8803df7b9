import Logging
import Primitives
import Synchronization

/// Logs repairs by their number: a store that comes back empty makes as many as it had shards.
final class RepairLog: Sendable {
    private struct State {
        /// Shards written since the last time there was nothing to repair, by the store that took them.
        var repaired: [UInt16: Int] = [:]
        var unrepaired = 0
        /// When a line was written last, or the first repair came.
        var since: UInt64 = 0

        var isEmpty: Bool { repaired.isEmpty && unrepaired == 0 }
        var metadata: Logger.Metadata {
            let stores = repaired.map { ("\($0.key)", Logger.MetadataValue.count($0.value)) }
            return [
                "shards": .count(repaired.values.reduce(0, +)), "unrepaired": .count(unrepaired),
                "by-store": .dictionary(Logger.Metadata(uniqueKeysWithValues: stores)),
            ]
        }
    }

    private let environment: any Environment
    private let logger: Logger
    private let state = Mutex(State())

    /// Nanoseconds between two lines of progress.
    private static let period: UInt64 = 10_000_000_000

    init(environment: any Environment, logger: Logger) {
        (self.environment, self.logger) = (environment, logger)
    }

    /// - Parameter stores: the store of each shard that was written.
    func repaired(_ blob: BlobName, stores: [UInt16]) {
        logger.debug("shards repaired", metadata: ["blob": "\(blob)", "stores": "\(stores)"])
        add { state in for store in stores { state.repaired[store, default: 0] += 1 } }
    }

    func unrepaired(_ blob: BlobName, shards: [UInt8]) {
        logger.debug("shards not repaired yet", metadata: ["blob": "\(blob)", "shards": "\(shards)"])
        add { $0.unrepaired += shards.count }
    }

    private func add(_ change: (inout State) -> Void) {
        let now = environment.monotonicNanoseconds()
        let progress: Logger.Metadata? = state.withLock { state in
            if state.isEmpty { state.since = now }
            change(&state)
            guard now &- state.since >= Self.period else { return nil }
            state.since = now
            return state.metadata
        }
        if let progress { logger.notice("shards are being repaired", metadata: progress) }
    }

    /// Says what was repaired, once there is nothing more to repair now.
    func rest() {
        let done: State? = state.withLock { state in
            defer { state = State() }
            return state.isEmpty ? nil : state
        }
        guard let done else { return }
        logger.log(
            level: done.unrepaired > 0 ? .warning : .notice,
            done.unrepaired > 0 ? "shards repaired, but not all" : "shards repaired", metadata: done.metadata)
    }
}
