import Synchronization

/// How fast the stores of a pool answer, and what is left for readers beside slow ones.
final class ReadPace: Sendable {
    private struct State {
        var times: [AnswerTime]
        var budget: HedgeBudget
        var counts = HedgeCounts()
    }

    private let state: Mutex<State>

    /// - Parameter budget: percent of the readers that are needed anyway.
    init(stores: Int, budget: Int) {
        state = Mutex(
            State(times: Array(repeating: AnswerTime(), count: stores), budget: HedgeBudget(percent: budget)))
    }

    /// Has records for so many stores from now on.
    func grow(to count: Int) {
        state.withLock { state in
            state.times += Array(repeating: AnswerTime(), count: max(0, count - state.times.count))
        }
    }

    // MARK: Before a read

    /// Within what the store of each shard is expected to answer, in nanoseconds.
    func likely(_ homes: [ShardHome], now: UInt64) -> [ClosedRange<UInt64>] {
        state.withLock { state in homes.map { $0.store.map { state.times[$0].likely(now: now) } ?? 0...0 } }
    }

    /// The mean of a store's answers, in nanoseconds; nil where it is not known.
    func expected(_ store: Int, now: UInt64) -> UInt64? {
        state.withLock { $0.times[store].expected(now: now) }
    }

    /// How long a read that begins with these stores waits for a first cell before others are read beside it.
    ///
    /// - Parameter most: holds where something is not known of a store.
    func patience(_ stores: some Sequence<Int>, most: UInt64, now: UInt64) -> UInt64 {
        state.withLock { state in
            var slowest: UInt64 = 0
            for store in stores {
                guard let patience = state.times[store].patience(now: now) else { return most }
                slowest = max(slowest, patience)
            }
            return min(most, max(Self.shortest, slowest))
        }
    }

    /// What a process that has much to do may take for itself, so that no store is to blame for it.
    private static let shortest: UInt64 = 25_000_000

    /// Whether a read that goes round a store is to try it nevertheless.
    func passedOver(_ store: Int, now: UInt64) -> Bool {
        state.withLock { $0.times[store].passedOver(now: now) }
    }

    // MARK: During a read

    func answered(_ store: Int, after time: UInt64, now: UInt64) {
        state.withLock { $0.times[store].answered(after: time, now: now) }
    }

    func late(_ store: Int, after wait: UInt64, now: UInt64) {
        state.withLock { $0.times[store].late(after: wait, now: now) }
    }

    func unheard(_ store: Int, after wait: UInt64, now: UInt64) {
        state.withLock { $0.times[store].unheard(after: wait, now: now) }
    }

    /// Notes readers that a blob needs anyway.
    func begun(_ readers: Int) {
        state.withLock { $0.budget.begun(readers) }
    }

    /// Takes as many of the readers asked for as may be begun beside slow ones.
    ///
    /// - Parameter isRepeated: they were refused already, so that this refusal is no further one.
    func hedge(_ readers: Int, isRepeated: Bool) -> Int {
        state.withLock { state in
            let granted = state.budget.take(readers)
            state.counts.begun += granted
            if !isRepeated { state.counts.refused += readers - granted }
            return granted
        }
    }

    /// Notes readers beside slow ones whose cells came first.
    func won(_ readers: Int) {
        state.withLock { $0.counts.won += readers }
    }

    var counts: HedgeCounts {
        state.withLock { state in
            var counts = state.counts
            counts.left = state.budget.left
            return counts
        }
    }
}

/// What became of readers that were to be begun beside slow ones.
package struct HedgeCounts: Sendable, Hashable {
    package var begun = 0
    /// Those without whose cells a stripe would have had to wait.
    package var won = 0
    /// Those for which nothing was left, each counted once.
    package var refused = 0
    /// Readers that could be begun now.
    package var left = 0.0
}
