import Erasure
import NIOCore
import Primitives
import Storage
import Synchronization

/// Hands each stripe of a body to the writers of all shards at once: one producer, k + m consumers, and a bounded
/// number of stripes between the fastest and the slowest.
///
/// A writer that fails or hangs is left behind; the others go on.
final class StripeFan: Watched {
    private let state: Mutex<StripeFanState>
    private let environment: any Environment
    private let limits: Limits

    struct Limits: Sendable {
        /// After how many nanoseconds without progress a writer is given up, and after how many in which it alone held
        /// up the others it is left behind.
        var deadline: UInt64
        var straggler: UInt64

        init(_ configuration: PoolConfiguration) {
            (deadline, straggler) = (
                configuration.shardDeadline.nanoseconds, configuration.stragglerAfter.nanoseconds
            )
        }
    }

    /// - Parameters:
    ///   - headers: The header of each shard that will be written; nil for one that no store can take.
    ///   - needed: Writers without which the producer gives up.
    ///   - areEnough: Whether these shards, whose writers have ended well or wait, are enough without the one that
    ///     alone holds them up; nil where none is left behind.
    ///   - geometry: Two stripes are under way at most, or as many small ones as make about a mebibyte.
    init(
        headers: [ByteBuffer?], needed: Int, areEnough: (@Sendable ([Int]) -> Bool)? = nil, geometry: Geometry,
        environment: any Environment, limits: Limits
    ) {
        let now = environment.monotonicNanoseconds()
        let mostStripes = max(2, (1 << 20) / geometry.stripeSize)
        state = Mutex(
            StripeFanState(
                headers: headers, needed: needed, areEnough: areEnough, mostStripes: mostStripes, now: now))
        (self.environment, self.limits) = (environment, limits)
    }

    /// Gives a stripe to the writers, and returns once there is room for the next.
    ///
    /// - Throws: `quorum` where too few writers are left; `source` where the task was cancelled.
    func publish(_ stripe: SealedStripe) async throws(StorageError) {
        perform(state.withLock { $0.publish(stripe) })
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let waits = state.withLock { $0.producerWaits(continuation) }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            fail(BodyError(.cancelled, "The upload was cancelled."))
        }
        if let error = state.withLock({ $0.producerError }) { throw error }
    }

    /// Gives the last stripe and the footers to the writers: their bodies end.
    func finish(last: SealedStripe?, footers: [ByteBuffer]) {
        perform(state.withLock { $0.finish(last: last, footers: footers) })
    }

    /// Makes the bodies of all writers throw, so that nothing is published.
    func fail(_ error: BodyError) {
        perform(state.withLock { $0.fail(error) })
    }

    /// Notes the task that writes a shard, to be cancelled where it hangs.
    func began(_ shard: Int, _ task: Task<Void, Never>) {
        state.withLock { $0.began(shard, task) }
    }

    /// The next pieces of a shard, none at the end.
    func next(_ shard: Int) async throws(BodyError) -> [ByteBuffer] {
        while true {
            let now = environment.monotonicNanoseconds()
            let step = state.withLock { $0.take(shard, now: now) }
            perform(step.actions)
            switch step.outcome {
            case .pieces(let pieces): return pieces
            case .failed(let error): throw error
            case .wait:
                await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                    let waits = state.withLock { $0.consumerWaits(shard, continuation) }
                    if !waits { continuation.resume() }
                }
            }
        }
    }

    /// Notes how the writer of a shard ended: nil for a durable shard.
    ///
    /// - Returns: False where it had been given up before, so that what it wrote must be removed.
    func complete(_ shard: Int, _ error: StorageError?) -> Bool {
        let (accepted, actions) = state.withLock { $0.complete(shard, error) }
        perform(actions)
        return accepted
    }

    /// Waits until every writer has ended or was given up; the error of each, nil for a durable shard.
    func outcomes() async -> [StorageError?] {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let waits = state.withLock { $0.closerWaits(continuation) }
            if !waits { continuation.resume() }
        }
        return state.withLock { $0.errors }
    }

    /// The writers that were left behind since they alone held up the others.
    var stragglers: [Int] { state.withLock { $0.stragglers } }

    func check(now: UInt64) {
        perform(state.withLock { $0.giveUp(now: now, limits) })
    }

    private func perform(_ actions: StripeFanState.Actions) {
        for task in actions.cancelled { task.cancel() }
        for continuation in actions.resumed { continuation.resume() }
    }
}
