import DirectoryStore
import Logging
import Pools
import Primitives
import Storage
import Synchronization

/// Looks again and again at how full each store is: what a directory's file system says, and of a backend, of which
/// somebody said how much it can hold, what Tidegate has there.
final class StoreCapacities: Sendable {
    /// The shards that were counted last, by the records of all blobs, and what each slot had written until then.
    private struct Count {
        var held: [Int: Int64]
        var written: [Int: Int64]
    }

    /// Between looks.
    private static let period = Duration.seconds(5)

    let filling: StoreFilling
    private let keeper: StoreKeeper
    private let environment: any Environment
    private let logger: Logger
    private let count = Mutex<Count?>(nil)
    /// Positions that are being looked at: a disk that hangs is left to itself.
    private let looking = Mutex<Set<Int>>([])

    init(_ filling: StoreFilling, _ keeper: StoreKeeper, environment: any Environment) {
        (self.filling, self.keeper, self.environment) = (filling, keeper, environment)
        logger = Logger(label: "tidegate.stores")
    }

    /// Looks until it is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                for slot in keeper.slots where looking.withLock({ $0.insert(slot.position).inserted }) {
                    group.addTask {
                        await self.look(slot)
                        self.looking.withLock { _ = $0.remove(slot.position) }
                    }
                }
                do throws(CancellationError) { try await environment.sleep(for: Self.period) } catch { return }
            }
        }
    }

    /// What every slot has written so far: to be asked for before blobs are counted.
    func written() -> [Int: Int64] {
        Dictionary(keeper.slots.map { ($0.position, $0.written) }, uniquingKeysWith: max)
    }

    /// Takes note of a count. What is written while it goes on is taken for not counted.
    func note(held: [Int: Int64], writtenBefore written: [Int: Int64]) {
        count.withLock { $0 = Count(held: held, written: written) }
    }

    /// Looks at one store now: something else was said of it.
    func look(at position: UInt16) async {
        for slot in keeper.slots where slot.position == Int(position) { await look(slot) }
    }

    private func look(_ slot: StoreSlot) async {
        guard !slot.isGone else {
            _ = filling.note(slot.position, nil)
            return
        }
        let space: StoreSpace?
        if let directory = slot.store as? DirectoryStore {
            do throws(StorageError) {
                let found = try await directory.space()
                space = StoreSpace(used: found.used, capacity: found.used + found.available)
            } catch {
                return  // It is just going, which the watch over the stores tells of.
            }
        } else {
            space = slot.place.backend == nil ? nil : held(slot)
        }
        guard let level = filling.note(slot.position, space) else { return }
        tell(slot, space, level)
    }

    private func held(_ slot: StoreSlot) -> StoreSpace? {
        guard let count = count.withLock({ $0 }) else { return nil }
        let since = slot.written - (count.written[slot.position] ?? 0)
        return StoreSpace(
            used: (count.held[slot.position] ?? 0) + max(0, since), capacity: keeper.capacity(of: slot.position))
    }

    private func tell(_ slot: StoreSlot, _ space: StoreSpace?, _ level: FillLevel) {
        var tags: Logger.Metadata = ["store": .count(slot.position), "path": "\(slot.path)"]
        if let space, let percent = space.percent {
            tags["percent"] = .count(Int(percent))
            tags["used"] = .count(Int(space.used))
        }
        switch level {
        case .normal: logger.notice("a store has room again", metadata: tags)
        case .nearlyFull: logger.warning("a store is nearly full", metadata: tags)
        case .full:
            logger.error(
                "a store is full: it is given new shards only where the others have no room", metadata: tags)
        }
    }
}
