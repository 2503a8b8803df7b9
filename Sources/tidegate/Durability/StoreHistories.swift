import Logging
import Metadata
import Primitives
import Synchronization
import Workers

/// What was seen of each store: how long it was watched, when it was away, what it lost, what was repaired.
///
/// It is kept in memory and put into the index a little after a store went or came, and otherwise once an hour: what a
/// crash takes along is less than an hour of watching, or the repairs of that time.
final class StoreHistories: Sendable {
    private struct State {
        var records: [UInt16: StoreHistoryRecord] = [:]
        /// As the index has them.
        var kept: [UInt16: StoreHistoryRecord] = [:]
        /// Until when the time under watch is counted, in nanoseconds of the monotonic clock.
        var counted: UInt64
        /// Nanoseconds that make no whole second yet.
        var rest: UInt64 = 0
        /// Whether a store went or came since it was written last.
        var isUrgent = false
        var written: UInt64
    }

    /// Between looks at whether there is something to write.
    private static let period = Duration.seconds(10)
    private static let nanosecondsBetweenWrites: UInt64 = 3_600_000_000_000

    private let environment: any Environment
    private let state: Mutex<State>

    /// - Parameter kept: what the index has, by position.
    init(_ kept: [UInt16: StoreHistoryRecord], environment: any Environment) {
        self.environment = environment
        let now = environment.monotonicNanoseconds()
        state = Mutex(State(records: kept, kept: kept, counted: now, written: now))
    }

    /// What an index has.
    static func read(_ index: any MetadataIndex) async throws(StartError) -> [UInt16: StoreHistoryRecord] {
        let page = try await StartError.awaited("The index") { () throws(MetadataError) in
            try await index.scan(Scan(Keys.storeHistories, limit: 1000))
        }
        var records: [UInt16: StoreHistoryRecord] = [:]
        for entry in page.entries {
            do throws(RecordError) {
                let position = UInt16(truncatingIfNeeded: Keys.number(entry.key.dropFirst(2)))
                records[position] = try StoreHistoryRecord(encoded: entry.value)
            } catch {
                continue  // It begins anew: nothing but figures hangs on it.
            }
        }
        return records
    }

    /// What was seen so far.
    var current: [UInt16: StoreHistoryRecord] {
        let now = environment.monotonicNanoseconds()
        return state.withLock { state in
            Self.count(now, &state)
            return state.records
        }
    }

    /// Has the time of these positions counted from now on.
    func watch(_ positions: [Int]) {
        let (now, time) = (environment.monotonicNanoseconds(), environment.now())
        state.withLock { state in
            Self.count(now, &state)
            for position in positions {
                let position = UInt16(truncatingIfNeeded: position)
                if state.records[position] == nil { state.records[position] = StoreHistoryRecord(since: time) }
            }
        }
    }

    /// No store is watched in this position any more.
    func forget(_ position: UInt16) {
        let now = environment.monotonicNanoseconds()
        state.withLock { state in
            Self.count(now, &state)
            state.records[position] = nil
            state.isUrgent = true
        }
    }

    private static func count(_ now: UInt64, _ state: inout State) {
        let (seconds, rest) = (state.rest &+ (now &- state.counted)).quotientAndRemainder(dividingBy: 1_000_000_000)
        (state.counted, state.rest) = (now, rest)
        guard seconds > 0 else { return }
        state.records = state.records.mapValues { record in
            var record = record
            record.watchedSeconds = record.watchedSeconds.saturatingAdd(seconds)
            return record
        }
    }

    // MARK: What happens

    func observe(_ event: StoreEvent) {
        let time = environment.now()
        switch event {
        case .attached(let slot), .returned(let slot): change(slot) { $0.endOutage(time) }
        case .replaced(let slot):
            change(slot) { record in
                record.endOutage(time)
                record.losses = record.losses.saturatingAdd(1)
                record.isRestoring = true
            }
        case .lost(let slot, _), .stillAway(let slot, _):
            change(slot) { record in
                if record.awaySince == nil { record.awaySince = time }
            }
        case .suspect: break
        }
    }

    func observe(_ event: WorkerEvent) {
        switch event {
        case .restored(let stores, let bytes, let took):
            change(stores) { record in
                record.repairs.add(took)
                record.repairedBytes = record.repairedBytes.saturatingAdd(UInt64(max(0, bytes)))
            }
        case .damageFound(let found):
            for damage in found {
                change([damage.store]) { record in
                    // What a store lacks that came in place of a lost one is that loss.
                    if damage.isMissing && record.isRestoring { return }
                    record.damagedShards = record.damagedShards.saturatingAdd(1)
                }
            }
        case .scrubbed(let report): if report.isComplete { everyShardWasLookedAt() }
        default: break
        }
    }

    /// What is missing from now on was lost since.
    func everyShardWasLookedAt() {
        state.withLock { state in
            for position in state.records.keys { state.records[position]?.isRestoring = false }
        }
    }

    private func change(_ slot: StoreSlot, _ change: (inout StoreHistoryRecord) -> Void) {
        watch([slot.position])
        state.withLock { $0.isUrgent = true }
        self.change([UInt16(truncatingIfNeeded: slot.position)], change)
    }

    private func change(_ positions: [UInt16], _ change: (inout StoreHistoryRecord) -> Void) {
        state.withLock { state in
            for position in positions where state.records[position] != nil {
                change(&state.records[position, default: StoreHistoryRecord(since: Timestamp(nanoseconds: 0))])
            }
        }
    }

    // MARK: Keeping it

    /// Writes what there is to write until it is cancelled or another process has taken over.
    func run(_ commits: WorkerCommits, _ logger: Logger) async {
        while true {
            do throws(CancellationError) { try await environment.sleep(for: Self.period) } catch { return }
            let now = environment.monotonicNanoseconds()
            let isDue = state.withLock { $0.isUrgent || now &- $0.written >= Self.nanosecondsBetweenWrites }
            guard isDue else { continue }
            do throws(WorkerError) {
                try await write(commits)
            } catch .fenced {
                return
            } catch {
                logger.warning("what was seen of the stores could not be kept", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// Puts into the index what changed.
    func write(_ commits: WorkerCommits) async throws(WorkerError) {
        let (records, now) = (current, environment.monotonicNanoseconds())
        let kept = state.withLock { state in
            (state.isUrgent, state.written) = (false, now)
            return state.kept
        }
        let changed = records.filter { kept[$0.key] != $0.value }
        let gone = kept.keys.filter { records[$0] == nil }
        let mutations =
            changed.sorted { $0.key < $1.key }.map { Mutation.put(Keys.storeHistory($0.key), $0.value.encoded) }
            + gone.sorted().map { Mutation.remove(Keys.storeHistory($0)) }
        guard !mutations.isEmpty else { return }
        _ = try await commits.commit([], mutations)
        state.withLock { $0.kept = records }
    }
}

extension StoreHistoryRecord {
    /// Counts the time that a store was away, now that one is there.
    fileprivate mutating func endOutage(_ now: Timestamp) {
        guard let since = awaySince else { return }
        outages.add(now - since)
        awaySince = nil
    }
}
