import Metadata
package import Pools
package import Primitives
import Synchronization

/// Damaged shards that reads and scrubs met, on their way into the index.
///
/// `report` is what a pool is given as its reporter. It returns at once: reports wait in memory, one entry a blob,
/// until `flush` puts them into the index. What is lost with the process, a read or a scrub meets again.
package final class DamageQueue: Sendable {
    private struct Damage {
        /// Missing or corrupt.
        var lost: UInt64 = 0
        var misplaced: UInt64 = 0
        var unreachable: UInt64 = 0

        mutating func add(_ other: Damage) {
            lost |= other.lost
            misplaced |= other.misplaced
            unreachable |= other.unreachable
        }
    }

    private struct State {
        var waiting: [BlobName: Damage] = [:]
        var dropped = 0
        /// Blobs that were found to be whole, and when.
        var whole: [BlobName: UInt64] = [:]
    }

    /// Rows of one commit.
    private static let flushedAtOnce = 256

    let signal = WakeSignal()
    private let environment: any Environment
    private let capacity: Int
    /// How long a store may be away before its shards are rebuilt elsewhere, where nothing else is said.
    package static let usualPatience: Duration = .seconds(900)

    private let patience: Duration
    private let state = Mutex(State())

    /// - Parameters:
    ///   - capacity: Blobs that wait at most; reports of others are dropped and counted.
    ///   - patience: How long a store may be away before its shards are rebuilt elsewhere, and how long a blob that was
    ///     verified counts as whole whatever a read with an old location of it reports.
    package init(environment: any Environment, capacity: Int = 10_000, patience: Duration = usualPatience) {
        (self.environment, self.capacity, self.patience) = (environment, capacity, patience)
    }

    /// Takes the report of a damaged shard.
    package func report(_ name: BlobName, _ damage: ShardDamage) {
        guard damage.index < 64 else { return }
        let (bit, name, now) = (UInt64(1) << UInt64(damage.index), name.whole, environment.monotonicNanoseconds())
        let isNew = state.withLock { state in
            if let since = state.whole[name], now &- since < patience.wholeNanoseconds { return false }
            guard state.waiting[name] != nil || state.waiting.count < capacity else {
                state.dropped += 1
                return false
            }
            let isNew = state.waiting[name] == nil
            switch damage.kind {
            case .missing, .corrupt: state.waiting[name, default: Damage()].lost |= bit
            case .crowded: state.waiting[name, default: Damage()].misplaced |= bit
            case .unavailable: state.waiting[name, default: Damage()].unreachable |= bit
            }
            return isNew
        }
        if isNew { signal.signal() }
    }

    /// Blobs that wait to be put into the index.
    package var count: Int { state.withLock { $0.waiting.count } }

    /// How many reports were dropped since this was asked last.
    func takeDropped() -> Int {
        state.withLock { state in
            defer { state.dropped = 0 }
            return state.dropped
        }
    }

    /// A blob was verified, and is damaged: what is reported of it from now on is not about an old location.
    func isDamaged(_ name: BlobName) {
        state.withLock { $0.whole[name.whole] = nil }
    }

    /// A blob was verified, and every shard of it is right.
    func isWhole(_ name: BlobName) {
        let now = environment.monotonicNanoseconds()
        state.withLock { state in
            if state.whole.count >= capacity { state.whole.removeAll() }
            state.whole[name.whole] = now
        }
    }

    /// Puts what waits into the index: a row a blob, beside the blob's own.
    ///
    /// - Returns: How many rows were written.
    /// - Throws: `index` and `fenced`; what was not written waits again.
    @discardableResult
    package func flush(_ commits: WorkerCommits) async throws(WorkerError) -> Int {
        var rest = state.withLock { state in
            defer { state.waiting = [:] }
            return state.waiting.sorted { $0.key < $1.key }[...]
        }
        var written = 0
        while !rest.isEmpty {
            do throws(WorkerError) {
                written += try await write(rest.prefix(Self.flushedAtOnce), commits)
            } catch {
                keep(rest)
                throw error
            }
            rest = rest.dropFirst(Self.flushedAtOnce)
        }
        return written
    }

    /// Lets damage wait again that could not be written, beside what was reported meanwhile.
    private func keep(_ damages: ArraySlice<(key: BlobName, value: Damage)>) {
        state.withLock { state in
            for (name, damage) in damages {
                guard state.waiting[name] != nil || state.waiting.count < capacity else {
                    state.dropped += 1
                    continue
                }
                state.waiting[name, default: Damage()].add(damage)
            }
        }
    }

    private func write(
        _ damages: ArraySlice<(key: BlobName, value: Damage)>, _ commits: WorkerCommits
    ) async throws(WorkerError) -> Int {
        let keys = damages.flatMap { [Keys.blob($0.key), Keys.damaged($0.key)] }
        let values = try await commits.index.answered { index throws(MetadataError) in
            try await index.values(of: keys)
        }
        var changes: [(conditions: [Condition], mutation: Mutation)] = []
        for (position, (name, damage)) in damages.enumerated() {
            let (blob, row) = (values[position * 2], values[position * 2 + 1])
            guard let blob, let record = merged(damage, row) else { continue }
            changes.append(
                (
                    [.version(blob.key, blob.version), .unchanged(Keys.damaged(name), from: row)],
                    .put(Keys.damaged(name), record.encoded)
                ))
        }
        guard !changes.isEmpty else { return 0 }
        do throws(WorkerError) {
            _ = try await commits.commit(changes.flatMap(\.conditions), changes.map(\.mutation))
            return changes.count
        } catch .index(.conflict) {
            return try await writeSingly(changes, commits)
        }
    }

    private func writeSingly(
        _ changes: [(conditions: [Condition], mutation: Mutation)], _ commits: WorkerCommits
    ) async throws(WorkerError) -> Int {
        var written = 0
        for change in changes {
            do throws(WorkerError) {
                _ = try await commits.commit(change.conditions, [change.mutation])
                written += 1
            } catch .index(.conflict) {
                continue  // The blob changed, so that what was met may be no more; the next read or scrub tells.
            }
        }
        return written
    }

    /// The row with new damage; nil where it says as much already.
    private func merged(_ damage: Damage, _ row: Entry?) -> DamagedRecord? {
        let now = environment.now()
        var known: DamagedRecord?
        if let row {
            do throws(RecordError) {
                known = try DamagedRecord(encoded: row.value)
            } catch {
                known = nil  // It is written anew.
            }
        }
        var record = known ?? DamagedRecord(broken: 0, reported: now)
        let broken = damage.lost | damage.misplaced
        let news = broken & ~record.broken
        record.misplaced = (record.misplaced | damage.misplaced & ~record.broken) & ~damage.lost
        record.broken |= broken
        record.unreachable |= damage.unreachable & ~record.broken
        if news != 0 {
            record.notBefore = now
        } else if known == nil {
            record.notBefore = now + patience
        }
        return record == known ? nil : record
    }
}
