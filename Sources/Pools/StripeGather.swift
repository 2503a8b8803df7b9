import Erasure
import NIOCore
import Primitives
import Storage
import Synchronization

/// Collects the cells of a range of stripes from the readers of several shards, and says when a stripe can be given
/// out.
///
/// One owner asks for the stripes in order; each shard's reader delivers cells that it has checked. Readers run ahead
/// of the owner by a bounded number of stripes. Where cells are missing, corrupt or late, readers of other shards are
/// started.
final class StripeGather: Watched {
    private let state: Mutex<StripeGatherState>
    private let environment: any Environment
    private let limits: Limits
    private let pace: ReadPace
    private let start: @Sendable (StripeGather, GatherReader) -> Task<Void, Never>

    struct Limits: Sendable {
        /// After how many nanoseconds without progress other shards are read beside one that has begun to come, and
        /// after how many a shard is given up.
        var hedge: UInt64
        var deadline: UInt64
    }

    /// - Parameter start: Starts the task of a reader, which calls `deliver` and then `ended`.
    init(
        _ plan: GatherPlan, environment: any Environment, limits: Limits, pace: ReadPace,
        start: @escaping @Sendable (StripeGather, GatherReader) -> Task<Void, Never>
    ) {
        state = Mutex(StripeGatherState(plan))
        (self.environment, self.limits, self.pace, self.start) = (environment, limits, pace, start)
    }

    /// Waits for the wanted cells of the next stripe, or for k others.
    ///
    /// - Parameter wanted: Bit *i* for shard *i*.
    /// - Throws: `corrupt`, `notFound` or `quorum` where fewer than k cells can be had; `sink` where the task was
    ///   cancelled.
    func next(_ stripe: Int64, wanted: UInt64) async throws(StorageError) -> [Int: GatheredCell] {
        while true {
            let now = environment.monotonicNanoseconds()
            let (step, resumed) = state.withLock { state in
                state.take(stripe, wanted: wanted, now: now) { pace.hedge($0, isRepeated: $1) }
            }
            for waiter in resumed { waiter.resume() }
            switch step {
            case .cells(let cells): return cells
            case .failed(let error): throw error
            case .start(let readers):
                pace.begun(readers.count { !$0.isHedge })
                for reader in readers {
                    let task = start(self, reader)
                    let isOpen = state.withLock { $0.began(reader.number, task) }
                    if !isOpen { task.cancel() }
                }
            case .wait: await wait()
            }
        }
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let waits = state.withLock { $0.ownerWaits(continuation) }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            close()
        }
    }

    /// Takes checked cells of a reader, nil for those that are corrupt, and returns once there is room for more.
    ///
    /// - Throws: `BodyError` of kind `cancelled` where nobody wants them any more.
    func deliver(_ reader: Int, _ cells: [GatheredCell?]) async throws(BodyError) {
        var cells = cells[...]
        while true {
            let now = environment.monotonicNanoseconds()
            let delivery = state.withLock { $0.deliver(reader, cells, now: now) }
            delivery.owner?.resume()
            if let answer = delivery.answer { pace.answered(answer.store, after: answer.time, now: now) }
            guard let rest = delivery.rest else { throw BodyError(.cancelled, "The bytes are not wanted any more.") }
            if rest.isEmpty { return }
            cells = rest
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let waits = state.withLock { $0.readerWaits(reader, continuation) }
                if !waits { continuation.resume() }
            }
        }
    }

    /// Notes that a reader has come to its end, or has failed.
    func ended(_ reader: Int, _ error: StorageError?) {
        let owner = state.withLock { $0.ended(reader, error) }
        owner?.resume()
    }

    /// Ends all readers. What they still deliver is dropped.
    func close() {
        let now = environment.monotonicNanoseconds()
        let closing = state.withLock { $0.close(now: now) }
        for task in closing.tasks { task.cancel() }
        for waiter in closing.waiters { waiter.resume() }
        for store in closing.unheard { pace.unheard(store.store, after: store.time, now: now) }
        if closing.won > 0 { pace.won(closing.won) }
    }

    /// What went wrong so far, each time once.
    func takeDamage() -> [ShardDamage] {
        state.withLock { $0.takeDamage() }
    }

    func check(now: UInt64) {
        let (tasks, waiters, late) = state.withLock { $0.check(now: now, limits) }
        for store in late { pace.late(store.store, after: store.time, now: now) }
        for task in tasks { task.cancel() }
        for waiter in waiters { waiter.resume() }
    }
}

/// A checked cell, in the pieces in which it came, without its checksum.
struct GatheredCell: Sendable {
    var pieces: [ByteBuffer]

    /// The bytes of a part of the cell, without a copy.
    func slices(_ range: Range<Int>) -> [ByteBuffer] {
        var slices: [ByteBuffer] = []
        var start = 0
        for piece in pieces {
            let part = range.clamped(to: start..<start + piece.readableBytes)
            if !part.isEmpty,
                let slice = piece.getSlice(at: piece.readerIndex + part.lowerBound - start, length: part.count)
            {
                slices.append(slice)
            }
            start += piece.readableBytes
        }
        return slices
    }
}

/// How long a store has let a reader wait for its first cell, in nanoseconds.
struct StoreAnswer: Sendable {
    var store: Int
    var time: UInt64
}

/// One read of a shard: the cells of some stripes.
struct GatherReader: Sendable {
    /// Names the reader among those of its gather.
    var number: Int
    var home: ShardHome
    var stripes: Range<Int64>
    /// Whether it is begun beside a slow one.
    var isHedge = false
}

/// What a gather begins with.
struct GatherPlan: Sendable {
    var dataShards: Int
    /// All stripes of the range.
    var stripes: Range<Int64>
    /// How many stripes the readers may be ahead.
    var window: Int
    /// Where each shard lies; shards that must not be read have no store.
    var homes: [ShardHome]
    /// Shards in the order in which they are to be tried.
    var candidates: [Int]
    /// What each of the first readers is to read, by shard.
    var first: [Int: Range<Int64>]
    /// How many nanoseconds a reader waits for its first cell before others are read beside it.
    var patience: UInt64
}
